"""What uneven and starved detectors leave in an image, plane by plane, without projecting a scene.

The light model takes each plane across the rotation axis for itself and its rays for parallel. Only
the error of the line integrals is reconstructed, on a coarse grid: dark bands between dense
things, streaks of metal, rings.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from gsema_core.grids import Geometry
from gsema_core.simulation.centers import Protocol
from gsema_core.simulation.scanner.beam import (
    HEAD_MM,
    PER_HU,
    WATER_PER_MM,
    hardened,
    water_corrected,
)

Floats = npt.NDArray[np.float32]

STEP_MM = 0.8
"""Voxels and detector bins of the coarse grid (ours): streaks are that wide and wider."""

SKULL_MM = 13.0
"""Way through the skull's two walls (ours)."""

MOST_ANGLES = 110
"""Views over half a turn at most (ours); fewer leave more distinct streaks, as on a C-arm."""

TURN_STEPS = 400
"""Steps over half a turn by which a ring's profile is integrated (ours)."""


def dense_errors(
    dense: Floats, spacing_mm: float, protocol: Protocol, rng: np.random.Generator
) -> tuple[Floats, float]:
    """Return (k, j, i) what hardening, scatter and lack of photons behind dense things add, in HU.

    Args:
        dense: (k, j, i) contrast, bone and metal in HU over water.
        spacing_mm: its voxels.
        protocol: the beam and the run.
        rng: draws the noise behind metal.

    Returns:
        The errors on a coarse grid of the same middle, and its spacing in mm.
    """
    factor = max(1, round(STEP_MM / spacing_mm))
    coarse = _block_means(dense, factor)
    step = factor * spacing_mm
    angles = max(20, min(MOST_ANGLES, round(protocol.views * 180.0 / protocol.arc_deg)))
    system, bins = _parallel_rays(coarse.shape[0], coarse.shape[2], angles)
    planes = coarse.transpose(0, 2, 1).reshape(-1, coarse.shape[1])
    lines = (system @ planes) * np.float32(step * PER_HU)
    errors = _line_errors(lines, step, protocol, rng).reshape(angles, bins, -1)
    filtered = _filtered(errors, step, axis=1).reshape(angles * bins, -1)
    image = (system.T @ filtered) * np.float32(np.pi / angles / PER_HU)
    shape = (coarse.shape[0], coarse.shape[2], coarse.shape[1])
    return np.ascontiguousarray(image.reshape(shape).transpose(0, 2, 1), np.float32), step


def ring_errors(geometry: Geometry, protocol: Protocol, rng: np.random.Generator) -> Floats:
    """Return (k, j, i) the rings of detector pixels whose gain is off by `ring_gain`, in HU."""
    pixel = protocol.detector_pixel_mm / protocol.magnification
    k, j, i = ((np.arange(n) - (n - 1) / 2) * geometry.spacing[0] for n in geometry.shape)
    radius = np.hypot(k[:, None], i[None, :])
    half = int(np.ceil(radius.max() / pixel)) + 2
    rows = int(np.ceil((j[-1] - j[0]) / pixel)) + 2
    gains = rng.normal(0.0, protocol.ring_gain, (rows, 2 * half + 1))
    rows_mixed = _filtered(gains, pixel, 0, protocol.hann_cut, ramp=False)
    filtered = _filtered(rows_mixed, pixel, 1, protocol.hann_cut)
    # Around half a turn, a place sees the bins between its distance and the opposite one, and
    # stays longest at one of the two ends.
    turn = np.linspace(0.0, np.pi / 2, TURN_STEPS)
    distances = np.arange(half) * pixel
    where = distances[:, None] * np.cos(turn) / pixel
    ways = [np.stack([np.interp(sign * where, np.arange(-half, half + 1), row).mean(axis=1)
                      for row in filtered]) for sign in (1.0, -1.0)]  # fmt: skip
    in_row = np.clip(np.round((j - j[0]) / pixel).astype(int), 0, rows - 1)
    at = np.clip(radius / pixel, 0, half - 1)
    low = np.minimum(at.astype(int), half - 2)
    share = (at - low).astype(np.float32)[:, None, :]
    front = (k > 0)[:, None, None]
    rings = np.zeros(geometry.shape, np.float32)
    for profile, side in zip(ways, (front, ~front), strict=True):
        by_row = (profile[in_row] * (np.pi / PER_HU)).astype(np.float32)
        values = by_row[:, low].transpose(1, 0, 2), by_row[:, low + 1].transpose(1, 0, 2)
        rings += np.where(side, values[0] * (1 - share) + values[1] * share, np.float32(0))
    return rings


def _line_errors(
    lines: Floats, step: float, protocol: Protocol, rng: np.random.Generator
) -> Floats:
    """What is read of lines through a head and dense things, over what they would linearly add."""
    water = np.full((1, 1), WATER_PER_MM * HEAD_MM, np.float32)
    skull = np.float32(SKULL_MM * protocol.bone_hu * PER_HU)

    def read(of: Floats) -> tuple[Floats, Floats]:
        through = hardened(of, water, protocol.hardening) if protocol.hardening else of
        behind_head = hardened(water + skull, water, protocol.hardening)
        signal = np.exp(-through) + protocol.scatter * np.exp(-behind_head)
        counted = np.log(np.maximum(signal, np.float32(1e-12)))
        values = water_corrected(-counted, protocol.hardening) if protocol.hardening else -counted
        pixel = protocol.detector_pixel_mm / protocol.magnification
        counts = protocol.photons * (step / pixel) ** 2 * signal
        return np.asarray(values, np.float32), np.asarray(counts, np.float32)

    values, counts = read(water + skull + lines)
    alone, most = read(water + skull)
    # The noise without dense things is already in the image.
    noise = np.sqrt(np.maximum(1.0 / np.maximum(counts, 1.0) - 1.0 / most, 0.0))
    errors = values - alone - lines / (1.0 + protocol.scatter)
    return np.asarray(errors + noise * rng.standard_normal(lines.shape, np.float32), np.float32)


def _parallel_rays(rows: int, columns: int, angles: int) -> tuple[sparse.csr_matrix, int]:
    """The matrix from a plane's voxels (k, i) to (angle, bin), by linear interpolation."""
    k, i = (np.arange(n) - (n - 1) / 2 for n in (rows, columns))
    bins = 2 * (int(np.ceil(np.hypot(rows, columns) / 2)) + 1) + 1
    turn = np.arange(angles)[:, None] * np.pi / angles
    at = np.cos(turn)[:, :, None] * k[None, :, None] + np.sin(turn)[:, :, None] * i + bins // 2
    at = at.reshape(angles, -1)
    low = np.floor(at).astype(np.int64)
    share = at - low
    first = low + np.arange(angles)[:, None] * bins
    voxel = np.broadcast_to(np.arange(rows * columns), at.shape)
    values = np.concatenate([(1 - share).ravel(), share.ravel()]).astype(np.float32)
    places = np.concatenate([first.ravel(), (first + 1).ravel()])
    matrix = (values, (places, np.concatenate([voxel.ravel(), voxel.ravel()])))
    return sparse.csr_matrix(matrix, (angles * bins, rows * columns)), bins


def _filtered(
    values: npt.NDArray[np.floating], step: float, axis: int, cut: float = 1.0, ramp: bool = True
) -> Floats:
    """Hann window along an axis of spacing ``step`` mm, with or without the ramp (per mm)."""
    n = values.shape[axis]
    size = 2 ** int(np.ceil(np.log2(2 * n)))
    frequency = np.fft.rfftfreq(size, step)
    window = 0.5 * (1.0 + np.cos(np.pi * np.minimum(frequency / (cut * 0.5 / step), 1.0)))
    if ramp:
        window = window * frequency
    shape = [1] * values.ndim
    shape[axis] = window.size
    spectrum = np.fft.rfft(values, size, axis) * window.reshape(shape)
    return np.asarray(np.take(np.fft.irfft(spectrum, size, axis), range(n), axis), np.float32)


def _block_means(array: Floats, factor: int) -> Floats:
    """Means of blocks; the last ones are completed by zeros, evenly at both ends."""
    lacking = [(-n) % factor for n in array.shape]
    padded = np.pad(array, [(n // 2, n - n // 2) for n in lacking])
    k, j, i = (n // factor for n in padded.shape)
    blocks = padded.reshape(k, factor, j, factor, i, factor)
    return np.asarray(blocks.mean(axis=(1, 3, 5)), dtype=np.float32)
