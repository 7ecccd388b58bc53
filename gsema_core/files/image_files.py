"""Reading one image file, checking its header before its voxels."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.files.image_header import ImageHeader, check_spacing
from gsema_core.files.image_names import ARCHIVES, SUFFIXES
from gsema_core.files.meta_header import read_meta_header
from gsema_core.files.nifti_header import read_nifti_header
from gsema_core.files.nrrd_header import read_nrrd_header
from gsema_core.files.voxel_data import DamagedFile
from gsema_core.grids.geometry import Geometry
from gsema_core.grids.volume import Volume

MAXIMUM_VOXELS = 2**31
"""Larger than any scanner's volume (1024^3 is 2^30); keeps a forged header from filling the
memory. Our choice."""


def read_image_file(path: Path) -> Volume:
    """Read an NRRD, NIfTI or MetaImage file with one value a voxel.

    Raises:
        UserError: the format is another one, the file is damaged, or it is not a 3D image.
    """
    with _explained(path):
        header = _checked_header(path)
        check_one_value(path, header.components)
        geometry = header_geometry(header)
        return Volume(header.read().reshape(geometry.shape), geometry)


def read_layers(path: Path) -> tuple[npt.NDArray[Any], Geometry, dict[str, str]]:
    """Read the file of a label map, which may have several values a voxel.

    Returns:
        The values as (layers, k, j, i), the grid, and the texts in the header by their keys.

    Raises:
        UserError: as for ``read_image_file``.
    """
    with _explained(path, "label map"):
        header = _checked_header(path)
        geometry = header_geometry(header)
        array = header.read().reshape(*geometry.shape, header.components)
        return np.moveaxis(array, -1, 0), geometry, dict(header.texts)


def check_image_file(path: Path) -> None:
    """Check that ``read_image_file`` would find a 3D image and all its voxels, and keep none.

    Raises:
        UserError: as for ``read_image_file``.
    """
    with _explained(path):
        header = _checked_header(path)
        check_one_value(path, header.components)
        header.voxels.check(header.count)


def read_header(path: Path) -> ImageHeader:
    """Read the header of an NRRD, NIfTI or MetaImage file, by its suffix.

    Raises:
        DamagedFile: it is none of that format.
        UserError: it says what cannot be read.
    """
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz", ".hdr")):
        return read_nifti_header(path)
    return read_nrrd_header(path) if name.endswith((".nrrd", ".nhdr")) else read_meta_header(path)


def header_geometry(header: ImageHeader) -> Geometry:
    """The grid of a header of three axes."""
    (i, j, k), (x, y, z), (r, a, s) = header.size[:3], header.spacing, header.origin
    return Geometry((i, j, k), (x, y, z), (r, a, s), tuple(header.direction.reshape(-1)))


def _checked_header(path: Path) -> ImageHeader:
    """The header of a file that is a 3D image on a regular grid."""
    _check_name(path)
    header = read_header(path)
    if header.voxels.dtype.kind == "c":
        raise UserError(f"The image {path} has complex numbers: give a gray-scale 3D image.")
    _check_count(path, header)
    _check_dimensions(path, header)
    check_spacing(path, header.spacing)
    # 1e-3: directions in files are often rounded to 4 digits; a voxel is then 0.5 voxel off
    # after 500 voxels at most.
    if not np.allclose(header.direction.T @ header.direction, np.eye(3), atol=1e-3):
        raise UserError(
            f"The image {path} has axes that are not perpendicular to each other: resample it to a "
            "regular grid first."
        )
    return header


def _check_name(path: Path) -> None:
    name = path.name.lower()
    if name.endswith(ARCHIVES):
        raise UserError(
            f"The file {path} is an archive, and none is opened: unpack it, and give the image or "
            "the DICOM folder in it."
        )
    if name.endswith((".img", ".img.gz")):
        header = path.name[: name.rindex(".img")] + ".hdr"
        raise UserError(f"The file {path} holds voxels only: give its header, {header}.")
    if not name.endswith(SUFFIXES):
        raise UserError(
            f"The format of {path} is not known: give a file that ends with one of "
            f"{', '.join(SUFFIXES)}, or a DICOM series (its folder or one of its files)."
        )


@contextmanager
def _explained(path: Path, what: str = "image") -> Iterator[None]:
    """Turn what went wrong into a sentence."""
    try:
        yield
    except DamagedFile as error:
        raise UserError(
            f"The {what} {path} could not be read ({error}): it is damaged or cut off, so copy or "
            "export it again."
        ) from error
    except OSError as error:
        raise UserError(f"The {what} {path} cannot be read ({error.strerror}).") from error
    except MemoryError as error:
        raise UserError(f"The {what} {path} is too large for this computer's memory.") from error


def not_finite(path: str | os.PathLike[str]) -> UserError:
    """The refusal of an image with NaN or infinite voxels."""
    return UserError(
        f"The image {path} has voxels that are not finite numbers (NaN or infinite): "
        "export it again or replace them."
    )


def check_one_value(path: str | os.PathLike[str], components: int) -> None:
    """Check that an image has one value a voxel.

    Raises:
        UserError: it has several.
    """
    if components != 1:
        kind = "color" if components in (3, 4) else "several values a voxel"
        raise UserError(
            f"The image {path} has {components} values a voxel ({kind}): "
            "give a gray-scale 3D image."
        )


def _check_dimensions(path: Path, header: ImageHeader) -> None:
    size, spanning = header.size, len(header.spacing)
    long = size[:3] + tuple(count for count in size[3:] if count > 1)
    if spanning != 3 or len(long) != 3 or 1 in long:
        dimensions = len(long) if len(long) > 3 else 2
        raise UserError(
            f"The image {path} is {dimensions}D ({_by(size)} voxels): give one 3D volume."
        )


def _check_count(path: Path, header: ImageHeader) -> None:
    size = header.size
    if min(*size, header.components) < 1:
        raise UserError(
            f"The image {path} has an axis of size zero ({_by(size)}): export it again."
        )
    if math.prod(size) > MAXIMUM_VOXELS:
        raise UserError(f"The image {path} is too large ({_by(size)} voxels): crop it first.")


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
