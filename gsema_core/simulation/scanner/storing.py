"""How a reconstruction is stored: the window, the background cut away, the fill outside."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids import Geometry, Volume
from gsema_core.labels import BACKGROUND
from gsema_core.simulation.centers import Protocol

Mask = npt.NDArray[np.bool_]

OFFSET = 1024
"""Added to Hounsfield units that are stored without a sign; usual for CT."""

SHOWN_MM, SHOWN_SHARE = 1.2, 0.35
"""A vessel is labeled where so much of it nearby is brighter than the cut (ours)."""


def store(
    hounsfield: npt.NDArray[np.float32], geometry: Geometry, protocol: Protocol
) -> npt.NDArray[np.generic]:
    """Return what the protocol stores of a reconstruction (k, j, i) on the gantry's axes."""
    if protocol.centered:
        hounsfield = hounsfield - np.median(hounsfield)
    image = quantize(hounsfield, protocol)
    if protocol.cut_hu is not None:
        image[hounsfield < protocol.cut_hu] = _lowest(protocol)
    if protocol.field != "all":
        image[~reconstructed(geometry, protocol)] = protocol.fill_value
    return image


def label_what_shows(labels: Volume, protocol: Protocol, image: Volume | None = None) -> Volume:
    """Take labels away where the stored image shows nothing.

    That is outside the reconstructed field, and where a vessel's contrast was cut away.

    Args:
        labels: on the image's grid, on the gantry's axes.
        protocol: the storage.
        image: as `store` made it; without it only the field counts.
    """
    shown = labels.array != BACKGROUND
    if image is not None and protocol.cut_hu is not None:
        shown = _is_shown((image.array > _lowest(protocol)) & shown, shown, labels.geometry)
    if protocol.field != "all":
        shown = shown & reconstructed(labels.geometry, protocol)
    return Volume(np.where(shown, labels.array, BACKGROUND).astype(np.uint8), labels.geometry)


def enhance_edges(
    hounsfield: npt.NDArray[np.float32], geometry: Geometry, protocol: Protocol
) -> npt.NDArray[np.float32]:
    """Add how the image differs from a smoothed copy, as sharp kernels do; noise grows too."""
    if not protocol.edge_gain:
        return hounsfield
    smooth = ndimage.gaussian_filter(hounsfield, protocol.edge_mm / geometry.spacing[0])
    return np.asarray(hounsfield + protocol.edge_gain * (hounsfield - smooth), np.float32)


def quantize(hounsfield: npt.NDArray[np.float32], protocol: Protocol) -> npt.NDArray[np.generic]:
    """Return the stored integers: int16 HU, uint16 HU + 1024, or a window in 12 or 8 bits."""
    low, high = protocol.window_hu
    if protocol.storage == "hounsfield":
        return np.rint(np.clip(hounsfield, low, high)).astype(np.int16)
    if protocol.storage == "offset16":
        return np.rint(np.clip(hounsfield, max(low, -OFFSET), high) + OFFSET).astype(np.uint16)
    top, kind = (4095, np.uint16) if protocol.storage == "unsigned12" else (255, np.uint8)
    share = np.clip((hounsfield - low) / (high - low), 0.0, 1.0)
    return np.asarray(np.rint(share * top), dtype=kind)


def reconstructed(geometry: Geometry, protocol: Protocol) -> Mask:
    """Which voxels (k, j, i) of a gantry's grid lie in the reconstructed field."""
    axes = [np.arange(n) - (n - 1) / 2 for n in geometry.shape]
    k, j, i = np.meshgrid(*axes, indexing="ij", sparse=True)
    radius = protocol.field_share * min(geometry.shape[0], geometry.shape[2]) / 2
    along = j**2 if protocol.field == "sphere" else 0.0 * j
    inside = k**2 + i**2 + along <= radius**2
    return np.broadcast_to(inside | (protocol.field == "all"), geometry.shape)


def _lowest(protocol: Protocol) -> int:
    return int(quantize(np.full(1, -1e9, np.float32), protocol)[0])


def _is_shown(above: Mask, lumen: Mask, geometry: Geometry) -> Mask:
    """Where enough of the lumen near by is above the cut; scattered noise is not enough."""
    size = 2 * max(1, round(SHOWN_MM / 2 / geometry.spacing[0])) + 1
    seen = ndimage.uniform_filter(above.astype(np.float32), size)
    there = ndimage.uniform_filter(lumen.astype(np.float32), size)
    return np.asarray(lumen & (seen >= SHOWN_SHARE * there))
