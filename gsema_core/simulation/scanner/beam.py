"""A beam of several energies: what is left of beam hardening after the scanner's correction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

WATER_PER_MM = 0.0206
"""Linear attenuation of water at 60 keV, near the mean energy of a 100 kVp beam (NIST XCOM)."""

PER_HU = WATER_PER_MM / 1000.0

HEAD_MM = 175.0
"""Water-equivalent way through the middle of an adult head, bone included (ours)."""

SHARES = np.array([0.25, 0.45, 0.25, 0.05])
"""Detected signal by energy without anything in the beam: about a 100 kVp spectrum behind 2.5 mm of
aluminum, at 40, 60, 80 and 100 keV (ours)."""

WATER = np.array([0.2683, 0.2059, 0.1837, 0.1707]) / 0.2059
"""Attenuation over that at 60 keV (NIST XCOM)."""

DENSE = np.array([2.72, 1.0, 0.54, 0.36])
"""The same of what bone and iodine add to water: the mean of both (NIST XCOM: 2.53 and 2.92 at 40
keV, .61 and .46 at 80)."""


def hardened(lines: Floats, water: Floats, strength: float) -> Floats:
    """What a detector reads of line integrals at 60 keV through water and denser things.

    Args:
        lines: of all that is in the beam.
        water: of the part that is water.
        strength: 1 for all four energies as they are, 0 for none but 60 keV.
    """
    shares, of_water, of_dense = _spectrum(strength)
    signal = np.zeros_like(lines)
    for share, soft, hard in zip(shares, of_water, of_dense, strict=True):
        signal += share * np.exp(-(hard * lines + (soft - hard) * water))
    # What signal is left behind metal may not be told from none.
    return np.asarray(-np.log(np.maximum(signal, np.float32(1e-30))), np.float32)


def water_corrected(lines: Floats, strength: float) -> Floats:
    """Correct readings as if all were water, as scanners do: water comes out right, bone not."""
    true = np.linspace(0.0, 40.0, 2000, dtype=np.float32)
    read = hardened(true, true, strength)
    # Noise lets readings fall a little below 0: go on straight there.
    slope = np.float32(true[1] / read[1])
    return np.asarray(np.where(lines < 0, slope * lines, np.interp(lines, read, true)), np.float32)


def _spectrum(strength: float) -> tuple[list[np.float32], list[np.float32], list[np.float32]]:
    """Shares, and ratios of water and of what is dense; a little iodine keeps its contrast."""
    water, dense = WATER**strength, DENSE**strength
    behind_head = SHARES * np.exp(-WATER_PER_MM * HEAD_MM * water)
    dense = dense * (behind_head @ water) / (behind_head @ dense)
    return tuple([np.float32(x) for x in part] for part in (SHARES, water, dense))  # type: ignore[return-value]
