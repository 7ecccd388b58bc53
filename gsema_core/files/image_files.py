"""Reading one image file, checking its header before its voxels."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from gsema_core.errors import UserError
from gsema_core.files.image_names import ARCHIVES, SUFFIXES
from gsema_core.files.meta_header import meta_voxels
from gsema_core.files.native_libraries import native_libraries
from gsema_core.files.nifti_header import has_all_finite_voxels, read_nifti_header
from gsema_core.files.nrrd_header import nrrd_voxels
from gsema_core.files.voxel_data import DamagedFile, VoxelData
from gsema_core.grids.volume import Volume

SPACING_LIMITS_MM = (0.05, 5.0)
"""Rotational angiography has voxels of 0.1 to 0.6 mm; beyond these limits the header is wrong,
most often in cm, m or micrometers. Our choice."""

MAXIMUM_VOXELS = 2**31
"""Larger than any scanner's volume (1024^3 is 2^30); keeps a forged header from filling the
memory. Our choice."""

# What the libraries' own texts mean; anything else is a damaged file.
_MEANINGS = {
    "orthonormal": "has axes that are not perpendicular to each other: resample it to a regular "
    "grid first",
    "spacing (": "has a voxel spacing that is zero or not a number: correct its header",
    "size is zero": "has an axis of size zero: export it again",
}


def read_image_file(path: Path) -> Volume:
    """Read an NRRD, NIfTI or MetaImage file with one value a voxel.

    Raises:
        UserError: the format is another one, the file is damaged, or it is not a 3D image.
    """
    with _explained(path):
        reader = _checked_reader(path)
        if _is_nifti(path) and not has_all_finite_voxels(path):
            raise not_finite(path)
        with native_libraries():
            return Volume.from_image(reader.Execute())


def check_image_file(path: Path) -> None:
    """Check that ``read_image_file`` would find a 3D image and all its voxels, and read none.

    Raises:
        UserError: as for ``read_image_file``.
    """
    with _explained(path):
        _checked_reader(path)


def read_fields(path: Path) -> dict[str, str]:
    """The texts in an image file's header, by their keys; no voxel is looked at.

    Raises:
        UserError: the header is damaged.
    """
    with _explained(path):
        find_voxels(path)
        reader = header_reader(path)
        return {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}


def find_voxels(path: Path) -> VoxelData:
    """Where the voxels of an NRRD, NIfTI or MetaImage file lie, by its suffix.

    Raises:
        DamagedFile: its header is none of that format.
        UserError: the voxels lie in a file that is missing or that it must not refer to.
    """
    if _is_nifti(path):
        return read_nifti_header(path).voxels
    is_nrrd = path.name.lower().endswith((".nrrd", ".nhdr"))
    return nrrd_voxels(path) if is_nrrd else meta_voxels(path)


def header_reader(path: Path) -> sitk.ImageFileReader:
    """A reader that has read the header, of a file that was looked at before, or just written."""
    with native_libraries():
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
    return reader


def _checked_reader(path: Path) -> sitk.ImageFileReader:
    """A reader of a file whose header and length are as they should be."""
    _check_name(path)
    voxels = find_voxels(path)
    if _is_nifti(path):
        header = read_nifti_header(path)
        check_spacing(path, header.spacing[: len(header.size)])
        _check_count(path, header.size)
        voxels.check(header.data_bytes, 1)
    reader = header_reader(path)
    check_header(path, reader)
    if not _is_nifti(path):
        # Bytes of a voxel with one value: ``16-bit signed integer`` has two.
        bits = sitk.GetPixelIDValueAsString(reader.GetPixelID()).partition("-")[0]
        voxels.check(math.prod(reader.GetSize()), int(bits) // 8)
    return reader


def _check_name(path: Path) -> None:
    name = path.name.lower()
    if name.endswith(ARCHIVES):
        raise UserError(
            f"The file {path} is an archive, and none is opened: unpack it, and give the image or "
            "the DICOM folder in it."
        )
    if not name.endswith(SUFFIXES):
        raise UserError(
            f"The format of {path} is not known: give a file that ends with one of "
            f"{', '.join(SUFFIXES)}, or a DICOM series (its folder or one of its files)."
        )


def _is_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the libraries say into a sentence."""
    try:
        yield
    except DamagedFile as error:
        raise UserError(
            f"The image {path} could not be read ({error}): it is damaged or cut off, so copy or "
            "export it again."
        ) from error
    except RuntimeError as error:
        damaged = "could not be read: it is damaged or cut off, so copy or export it again"
        told = [meaning for part, meaning in _MEANINGS.items() if part in str(error)]
        raise UserError(f"The image {path} {[*told, damaged][0]}.") from error
    except MemoryError as error:
        raise UserError(f"The image {path} is too large for this computer's memory.") from error


def not_finite(path: str | os.PathLike[str]) -> UserError:
    """The refusal of an image with NaN or infinite voxels."""
    return UserError(
        f"The image {path} has voxels that are not finite numbers (NaN or infinite): "
        "export it again or replace them."
    )


def check_header(path: Path, reader: sitk.ImageFileReader) -> None:
    """Check what a reader found in a file's header.

    Raises:
        UserError: it is not a 3D image with one value a voxel on a regular grid.
    """
    if "complex" in sitk.GetPixelIDValueAsString(reader.GetPixelID()):
        raise UserError(f"The image {path} has complex numbers: give a gray-scale 3D image.")
    size, components = reader.GetSize(), reader.GetNumberOfComponents()
    if components != 1:
        kind = "color" if components in (3, 4) else "several values a voxel"
        raise UserError(
            f"The image {path} has {components} values a voxel ({kind}): "
            "give a gray-scale 3D image."
        )
    _check_dimensions(path, size)
    _check_count(path, size)
    check_spacing(path, reader.GetSpacing())
    axes = np.array(reader.GetDirection()).reshape(3, 3)
    # 1e-3: directions in files are often rounded to 4 digits; a voxel is then 0.5 voxel off
    # after 500 voxels at most.
    if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3):
        raise UserError(f"The image {path} {_MEANINGS['orthonormal']}.")


def check_spacing(path: Path, spacing: tuple[float, ...]) -> None:
    """Check voxel spacings in mm.

    Raises:
        UserError: one of them is not a number or no scanner's.
    """
    low, high = SPACING_LIMITS_MM
    for value in spacing:
        if not low <= value <= high:  # not a number fails too
            raise UserError(
                f"The image {path} has a voxel spacing of {value:g} mm, where {low:g} to {high:g} "
                "mm is expected: correct its header (is its unit mm?) or resample it."
            )


def _check_dimensions(path: Path, size: tuple[int, ...]) -> None:
    long = size[:3] + tuple(count for count in size[3:] if count > 1)
    if len(long) != 3 or 1 in long:
        dimensions = len(long) if len(long) != 3 else 2
        raise UserError(
            f"The image {path} is {dimensions}D ({_by(size)} voxels): give one 3D volume."
        )


def _check_count(path: Path, size: tuple[int, ...]) -> None:
    if min(size, default=0) < 1:
        raise UserError(
            f"The image {path} has an axis of size zero ({_by(size)}): export it again."
        )
    if math.prod(size) > MAXIMUM_VOXELS:
        raise UserError(f"The image {path} is too large ({_by(size)} voxels): crop it first.")


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
