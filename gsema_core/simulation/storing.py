"""From Hounsfield-like values to what a scanner's archive holds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from gsema_core.grids import Volume
from gsema_core.simulation.centers import Protocol


def quantize(hounsfield: npt.NDArray[np.float32], protocol: Protocol) -> npt.NDArray[np.generic]:
    """Return the stored integers: int16 HU, 12 bits in uint16, or a window in uint8."""
    low, high = protocol.window_hu
    if protocol.storage == "hounsfield":
        return np.rint(np.clip(hounsfield, low, high)).astype(np.int16)
    top, kind = (4095, np.uint16) if protocol.storage == "unsigned12" else (255, np.uint8)
    share = np.clip((hounsfield - low) / (high - low), 0.0, 1.0)
    return np.asarray(np.rint(share * top), dtype=kind)


def orient(volume: Volume, orientation: str) -> Volume:
    """Return the same voxels with their axes permuted and flipped to ITK's axis codes."""
    oriented = sitk.DICOMOrient(volume.to_image(), orientation)
    return Volume.from_image(oriented)
