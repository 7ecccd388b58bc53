"""Writing images and label maps: beside the destination, checked, then renamed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path
from gsema_core.files.image_files import header_geometry, read_header
from gsema_core.files.image_header import ImageHeader
from gsema_core.files.image_names import SEGMENTATION_SUFFIX, WRITTEN_SUFFIXES, image_stem
from gsema_core.files.native_libraries import native_libraries
from gsema_core.files.slicer_segments import segment_fields
from gsema_core.files.voxel_data import DamagedFile
from gsema_core.grids.geometry import Geometry
from gsema_core.grids.volume import Volume

GRID_MM = 0.01
"""How far a written voxel may lie off: NIfTI's numbers have seven digits. Ours."""


def check_output_name(path: str | os.PathLike[str]) -> None:
    """Check that ``write_volume`` and ``write_labels`` know the format by the suffix.

    Raises:
        UserError: they do not.
    """
    name = Path(path).name
    if image_stem(name, WRITTEN_SUFFIXES) is None:
        raise UserError(
            f"The output format of {name} is not known: end its name with one of "
            f"{', '.join(WRITTEN_SUFFIXES)} (or {SEGMENTATION_SUFFIX} for labels)."
        )


def write_volume(volume: Volume, path: str | os.PathLike[str], *, compress: bool = True) -> None:
    """Write an image as NRRD, NIfTI or MetaImage, chosen by the suffix.

    Args:
        volume: what to write.
        path: ends with .nrrd, .nii, .nii.gz or .mha.
        compress: compress NRRD and MetaImage (gzip takes seconds for a large float image).

    Raises:
        UserError: the suffix is unknown or the file could not be written; an older file of that
            name is then unchanged.

    Example:
        >>> from gsema_core import read_volume
        >>> write_volume(read_volume("case.nrrd"), "copy.nii.gz")
    """
    check_output_name(path)
    _write(volume.to_image(), Path(path), compress)


def write_labels(volume: Volume, path: str | os.PathLike[str], *, compress: bool = True) -> None:
    """Write a label map as uint8; as ``.seg.nrrd``, Slicer loads it as a segmentation.

    The segments then have their names, colors and SNOMED CT terminology. The labels that occur
    nowhere get a segment too, so that "no aneurysm" can be told from "not looked for".

    Args:
        volume: what to write.
        path: as for ``write_volume``.
        compress: likewise; ``.seg.nrrd`` is always compressed.

    Raises:
        UserError: as for ``write_volume``.
        ValueError: the array has values that a uint8 cannot hold.

    Example:
        >>> from gsema_core import read_labels
        >>> write_labels(read_labels("labels.nrrd"), "labels.seg.nrrd")
    """
    check_output_name(path)
    array = volume.array.astype(np.uint8)
    if not np.array_equal(array, volume.array):
        raise ValueError("Label values must be whole numbers from 0 to 255.")
    image = Volume(array, volume.geometry).to_image()
    is_segmentation = Path(path).name.lower().endswith(SEGMENTATION_SUFFIX)
    if is_segmentation:
        for key, value in segment_fields(array, volume.geometry).items():
            image.SetMetaData(key, value)
    _write(image, Path(path), compress or is_segmentation)


def _write(image: sitk.Image, path: Path, compress: bool) -> None:
    with atomic_path(path) as temporary:
        try:
            with native_libraries():
                sitk.WriteImage(image, str(_plain(temporary)), compress)
            _plain(temporary).rename(temporary)
            written = read_header(temporary)
            # ITK does not notice a disk that gets full while it writes NIfTI.
            written.voxels.check(image.GetNumberOfPixels())
            _check_grid(image, written, path)
        except (RuntimeError, DamagedFile) as error:
            raise UserError(
                f"Could not write {path}: the disk may be full, so free some space or choose "
                "another folder; an older file of that name is unchanged."
            ) from error


def _plain(path: Path) -> Path:
    """Beside a path, a name in letters alone: ITK ends the process at a name that is no text.

    Names from elsewhere are such, where their bytes are not in the system's encoding.

    Raises:
        UserError: the name of a folder is no text.
    """
    try:
        str(path.parent).encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"The folder {path.parent.parent} has a name that is not in this system's encoding: "
            "choose another one for the output."
        ) from error
    return path.with_name(path.name.encode("ascii", "replace").decode().replace("?", "_"))


def _check_grid(image: sitk.Image, written: ImageHeader, path: Path) -> None:
    """Check that a header that was just written says where the image's voxels lie.

    Raises:
        UserError: it says something else.
    """
    grid = image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection()
    if not header_geometry(written).is_close(Geometry(*grid), tol=GRID_MM):
        raise UserError(
            f"Could not write {path}: its header would place the voxels elsewhere, so choose "
            "another format; an older file of that name is unchanged."
        )
