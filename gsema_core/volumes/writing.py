"""Writing images and label maps."""

from __future__ import annotations

import os
from pathlib import Path

import SimpleITK as sitk

from gsema_core.errors import UserError
from gsema_core.files import atomic_path
from gsema_core.volumes.volume import Volume

SUFFIXES = (".nrrd", ".nii", ".nii.gz", ".mha")


def write_volume(volume: Volume, path: str | os.PathLike[str]) -> None:
    """Write an image; the suffix chooses the format.

    Raises:
        UserError: the suffix is unknown or the file could not be written.
    """
    _check_suffix(path)
    with atomic_path(path) as temporary:
        sitk.WriteImage(volume.to_image(), str(temporary), True)


def write_labels(volume: Volume, path: str | os.PathLike[str]) -> None:
    """Write a label map; the suffix chooses the format.

    Raises:
        UserError: the suffix is unknown or the file could not be written.
    """
    write_volume(volume, path)


def _check_suffix(path: str | os.PathLike[str]) -> None:
    if not Path(path).name.lower().endswith(SUFFIXES):
        raise UserError(
            f"The format of {path} is not known by its suffix: use one of {', '.join(SUFFIXES)}."
        )
