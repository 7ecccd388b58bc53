"""How much of a sac coils fill."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gsema_core.errors import UserError

INCH_MM = 25.4
"""Coils are sold by the wire's diameter in inches."""

THINNEST_MM, THICKEST_MM = 0.1, 1.0
"""Coils for cerebral aneurysms have 0.20 to 0.51 mm (0.008 to 0.020 inch). Ours, wide enough for
all; what is beyond is most likely in another unit."""

LONGEST_MM = 1000.0
"""The longest coils have 600 mm. Ours, likewise."""


@dataclass(frozen=True)
class Coil:
    """A coil as its package describes it.

    Args:
        diameter_mm: of the coiled wire itself (its primary diameter), not of its loops.
        length_mm: of the coiled wire.

    Raises:
        UserError: no coil for cerebral aneurysms is so thin, thick, short or long.
    """

    diameter_mm: float
    length_mm: float

    def __post_init__(self) -> None:
        if not THINNEST_MM <= self.diameter_mm <= THICKEST_MM:
            raise UserError(
                f"A coil's diameter of {self.diameter_mm:g} mm ({self.diameter_mm / INCH_MM:.4f} "
                f"inch) is not between {THINNEST_MM:g} and {THICKEST_MM:g} mm: give that of the "
                "wire, such as 0.254 mm (0.010 inch), and check the unit."
            )
        if not 0 < self.length_mm <= LONGEST_MM:
            raise UserError(
                f"A coil's length of {self.length_mm:g} mm is not between 0 and {LONGEST_MM:g} mm: "
                "check the unit."
            )

    @property
    def volume_mm3(self) -> float:
        """That of a cylinder: pi / 4 d^2 L."""
        return math.pi / 4 * self.diameter_mm**2 * self.length_mm


def packing_density(coils: Iterable[Coil], volume_mm3: float) -> float:
    """The share of a sac that coils fill, in [0, 1].

    The volume embolization ratio VER = sum of pi / 4 d^2 L over the coils / V (Tamatani et al.,
    American Journal of Neuroradiology 23:762, 2002; packing in Sluzewski et al., Radiology 231:653,
    2004). For research use: it says nothing of what is right for a patient.

    Args:
        coils: all in the sac.
        volume_mm3: the sac's, V.

    Raises:
        UserError: the sac has no volume, or the coils have more than it.
    """
    if not 0 < volume_mm3 < math.inf:
        raise UserError(
            f"A sac of {volume_mm3:g} mm³ has no packing density: measure the aneurysm first."
        )
    filled = math.fsum(coil.volume_mm3 for coil in coils)
    if filled > volume_mm3:
        raise UserError(
            f"Coils of {filled:.1f} mm³ do not fit into a sac of {volume_mm3:.1f} mm³: check their "
            "diameters and lengths."
        )
    return filled / volume_mm3
