"""A slice of a validation case with two outlines: how the teacher does, at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from gsema_core.datasets.cache import CachedVolume
from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path, make_folder
from gsema_core.files.native_libraries import native_libraries
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.training.run_files import thumbnail, thumbnails

REFERENCE_COLOR, TEACHER_COLOR = (0, 200, 83), (255, 109, 0)
"""Green and orange, which most color-blind people tell apart (ours)."""

LEAST_EDGE = 320
"""Pixels of a thumbnail's longer edge; smaller slices are magnified (ours)."""


def choose_case(volumes: Sequence[CachedVolume]) -> CachedVolume | None:
    """The case to show: the first with an aneurysm, else the first; None where there is none."""
    with_aneurysm = [volume for volume in volumes if len(volume.aneurysm_voxels)]
    return next(iter([*with_aneurysm, *volumes]), None)


def write_thumbnail(
    folder: Path, step: int, volume: CachedVolume, predicted: NDArray[np.uint8]
) -> None:
    """Write ``thumbnails/step-<7 digits>.png``; it names nobody.

    It shows the slice with the most aneurysm of the reference (of its vessels where there is
    none). Vessels have thin outlines, half as bright as those of aneurysms.

    Args:
        folder: the run's output.
        step: of the teacher.
        volume: the case.
        predicted: the teacher's labels (k, j, i).

    Raises:
        UserError: it could not be written.
    """
    voxels = volume.aneurysm_voxels if len(volume.aneurysm_voxels) else volume.vessel_voxels
    k = int(np.bincount(voxels[:, 0]).argmax()) if len(voxels) else volume.image.shape[0] // 2
    pixels = draw(volume.image[k].astype(np.float32), volume.labels[k], predicted[k])
    path = thumbnail(folder, step)
    make_folder(path.parent)
    with atomic_path(path) as temporary, native_libraries():
        try:
            sitk.WriteImage(sitk.GetImageFromArray(pixels, isVector=True), str(temporary))
        except RuntimeError as error:
            raise UserError(
                f"Could not write {path}: the disk may be full, so free some space, and start the "
                "run again; it goes on from its last checkpoint."
            ) from error


def draw(
    image: NDArray[np.float32], reference: NDArray[np.uint8], predicted: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """A slice (j, i) in [0, 1] with the outlines of both label maps, as RGB (j, i, 3)."""
    factor = max(1, -(-LEAST_EDGE // max(image.shape)))
    image, reference, predicted = (
        np.repeat(np.repeat(array, factor, axis=0), factor, axis=1)
        for array in (image, reference, predicted)
    )
    gray = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
    pixels = np.repeat(gray[..., None], 3, axis=2)
    for label, brightness in ((VESSEL, 0.5), (ANEURYSM, 1.0)):
        for labels, color in ((reference, REFERENCE_COLOR), (predicted, TEACHER_COLOR)):
            mask = labels == label
            pixels[mask & ~binary_erosion(mask)] = np.multiply(color, brightness)
    return pixels


def drop_later(folder: Path, step: int) -> None:
    """Remove thumbnails of steps that a run which goes on has not made yet."""
    for number, path in thumbnails(folder).items():
        if number > step:
            path.unlink(missing_ok=True)
