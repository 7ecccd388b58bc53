"""Reading scans, and refusing what cannot be segmented."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.files.dicom.mark import is_dicom
from gsema_core.files.dicom.neutral import without_values
from gsema_core.files.image_files import not_finite, read_image_file
from gsema_core.grids.volume import Volume

LABEL_MAP_VALUES = 8
"""An image with no more distinct values than this, all whole, is a label map: our choice.
A thresholded 8-bit angiogram still has dozens."""


def read_volume(path: str | os.PathLike[str], series: int | None = None) -> Volume:
    """Read a scan.

    Args:
        path: an NRRD, NIfTI or MetaImage file; a folder (searched with its subfolders) that holds
            one DICOM series with a volume; or any one DICOM file, to read the series it is
            part of.
        series: which DICOM series of a folder, by its number, if there are several volumes.

    Returns:
        The scan: integers as they are stored, anything else as float32. From a DICOM series it is a
        ``SeriesVolume``, which tells which series it is.

    Raises:
        UserError: there is no such file, it cannot be read, or it is not a 3D scan: 2D, 4D or
            color, voxels that are not finite numbers, one value only, a label map, or a voxel
            spacing or direction that no scanner makes.

    Example:
        >>> scan = read_volume("case.nrrd")
        >>> scan.geometry.size
        (44, 36, 52)
    """
    path = Path(path)
    if not is_file(path, "image"):
        volume = read_dicom(path, series)
    elif series is not None:
        raise UserError(f"The image {path} is one image: leave out --series, which is for DICOM.")
    else:
        volume = read_image_file(path)
    array = volume.array
    if array.dtype.kind == "f":
        # Overflow turns into infinities, which are refused just below.
        with np.errstate(over="ignore"):
            array = array.astype(np.float32, copy=False)
        if not np.isfinite(array).all():
            raise not_finite(path)
    values = few_values(array)
    if values is not None and len(values) == 1:
        raise UserError(
            f"The image {path} has the same value ({values[0]:g}) in every voxel: "
            "there is nothing to segment in it."
        )
    if values is not None and np.array_equal(values, np.round(values)):
        raise UserError(
            f"The image {path} looks like a label map, as it has only the values "
            f"{', '.join(f'{value:g}' for value in values)}: give the scan itself."
        )
    return replace(volume, array=array)


def few_values(array: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """The distinct values of an array, or None when there are more than a label map has."""
    flat = array.reshape(-1)
    # A sample nearly always settles it; sorting all of a large scan would take ten seconds.
    values = np.unique(flat[:: max(1, flat.size // 100_000)])
    while len(values) <= LABEL_MAP_VALUES:
        others = flat[~np.isin(flat, values)]
        if not len(others):
            return values
        values = np.union1d(values, others[:1_000_000])
    return None


def is_file(path: Path, what: str) -> bool:
    """Whether a path is one image file, and not DICOM.

    Raises:
        UserError: there is nothing, or it cannot be opened.
    """
    try:
        exists = path.exists()
        if path.is_file():
            path.open("rb").close()  # a file that may not be read fails here, with a reason
    except (OSError, ValueError) as error:
        raise UserError(f"The {what} {path} cannot be opened ({error}): check the path.") from error
    if not exists:
        raise UserError(f"The {what} {path} does not exist: check the path.")
    if path.is_dir() or is_dicom(path):
        return False
    if not path.is_file():
        raise UserError(f"The {what} {path} is a device or a pipe: give a file or a folder.")
    return True


def list_series(folder: Path) -> list[dict[str, Any]]:
    """The DICOM series of a study, a row each, and whether they are volumes.

    Raises:
        UserError: the folder has no DICOM images.
    """
    with _pydicom_for(folder):
        from gsema_core.files.dicom.reader import study_table
    with without_values():
        return study_table(folder)


def read_dicom(path: Path, series: int | None) -> Volume:
    with _pydicom_for(path):
        from gsema_core.files.dicom.reader import read_series
    with without_values():
        return read_series(path, series)


@contextmanager
def _pydicom_for(path: Path) -> Iterator[None]:
    """Say what to do where pydicom is missing: Slicer needs none, as it reads by itself."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "pydicom":
            raise
        raise UserError(
            f"The DICOM images at {path} cannot be read, as the package pydicom (version 3) is not "
            "installed: install it (pip install pydicom), or give an NRRD, NIfTI or MetaImage file."
        ) from error
