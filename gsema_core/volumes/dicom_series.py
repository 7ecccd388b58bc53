"""Finding and reading the one volume in a folder of DICOM files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from gsema_core.errors import UserError
from gsema_core.volumes.image_files import check_header, check_spacing
from gsema_core.volumes.quiet import silent_libraries
from gsema_core.volumes.volume import Volume

MAXIMUM_FILES = 20_000
"""Files looked at in a folder before it is taken for the wrong one. Our choice."""

PROJECTION_CLASSES = ("1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2")
"""X-ray angiographic and radiofluoroscopic images: the run that a 3D volume was made from."""

SERIES_DESCRIPTION, SERIES_UID = "0008|103e", "0020|000e"
SOP_CLASS, POSITION = "0008|0016", "0020|0032"


@dataclass(frozen=True)
class Series:
    """The files of one series in one folder, sorted along the slices' normal."""

    files: tuple[str, ...]
    uid: str
    sop_class: str
    description: str


def is_dicom(path: Path) -> bool:
    """Whether a file has the DICOM mark."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def read_dicom(path: Path) -> Volume:
    """Read a DICOM series with a volume.

    A folder's series that hold no volume (single images, color, the projections of the rotation)
    are passed over. Where several volumes remain, none is guessed: a subtracted and a native
    reconstruction of one run look alike to a program, and not at all alike to its reader.

    Args:
        path: a folder, searched with its subfolders; or one file, for the series it is part of.

    Raises:
        UserError: there is no volume, or several, or it cannot be read.
    """
    folder = path if path.is_dir() else path.parent
    with silent_libraries():
        found = list(_all_series(folder) if path.is_dir() else _series_in(folder))
        if not path.is_dir():
            found = [series for series in found if _names(series, path)]
        volumes = [series for series in found if _may_be_volume(series)]
    if not found:
        raise UserError(
            f"The folder {folder} has no DICOM images: give the folder of a DICOM series, or an "
            "image file (NRRD, NIfTI, MetaImage)."
        )
    if not volumes:
        raise UserError(
            f"The DICOM images at {path} do not make a 3D volume (single, color or projection "
            "images only): give the reconstructed rotational angiography."
        )
    if len(volumes) > 1:
        shown = "; ".join(f"'{s.description}' with {s.files[0]}" for s in volumes[:6])
        raise UserError(
            f"The folder {path} has {len(volumes)} DICOM volumes: choose one by giving one of its "
            f"files ({shown}{'; ...' if len(volumes) > 6 else ''})."
        )
    _check_complete(volumes[0], {file for series in found for file in series.files})
    return _read_series(volumes[0], path)


def _all_series(folder: Path) -> Iterator[Series]:
    """The series of a folder and its subfolders."""
    seen = 0
    for parent, _, names in os.walk(folder):
        seen += len(names)
        if seen > MAXIMUM_FILES:
            raise UserError(
                f"The folder {folder} has more than {MAXIMUM_FILES} files: give the folder of the "
                "one DICOM series."
            )
        if any(is_dicom(Path(parent, name)) for name in names):
            yield from _series_in(Path(parent))


def _series_in(folder: Path) -> Iterator[Series]:
    # Details (rows, columns, slice thickness...) part a scout image from its series' volume.
    finder = sitk.ImageSeriesReader
    for identifier in finder.GetGDCMSeriesIDs(str(folder), True):
        files = finder.GetGDCMSeriesFileNames(str(folder), identifier, True)
        if not files:
            continue
        try:
            reader = _header(files[0])
        except RuntimeError:
            continue  # e.g. a DICOMDIR or a report, which has no image
        description = _field(reader, SERIES_DESCRIPTION) or "no description"
        uid, sop_class = _field(reader, SERIES_UID), _field(reader, SOP_CLASS)
        yield Series(tuple(files), uid, sop_class, description)


def _names(series: Series, path: Path) -> bool:
    return any(path.samefile(file) for file in series.files)


def _may_be_volume(series: Series) -> bool:
    reader = _header(series.files[0])
    frames = reader.GetSize()[2] if reader.GetDimension() == 3 else 1
    return (
        reader.GetNumberOfComponents() == 1
        and series.sop_class not in PROJECTION_CLASSES
        and (frames if len(series.files) == 1 else len(series.files)) > 1
    )


def _check_complete(series: Series, known: set[str]) -> None:
    """Check that GDCM has not passed over a damaged slice, which it does without a word."""
    names = {Path(file).name for file in known}
    for path in Path(series.files[0]).parent.iterdir():
        if path.name in names or not path.is_file() or not is_dicom(path):
            continue
        with path.open("rb") as file:
            head = file.read(2**16)
        # Element (0002,0002), the kind of object, is always explicit little endian. A report
        # or a presentation state names the series as well, but is of another kind.
        at = head.find(b"\x02\x00\x02\x00UI")
        kind = head[at + 8 : at + 8 + int.from_bytes(head[at + 6 : at + 8], "little")]
        same_kind = at >= 0 and kind.strip(b" \0") == series.sop_class.encode()
        if same_kind and series.uid.encode() in head:
            raise UserError(
                f"The DICOM file {path} is damaged or cut off: copy or export the series again."
            )


def _read_series(series: Series, path: Path) -> Volume:
    try:
        with silent_libraries():
            header = _header(series.files[0])
            if len(series.files) > 1:
                check_spacing(path, header.GetSpacing()[:2])
                _check_slices(series, path)
                return _checked(sitk.ReadImage(series.files), path)
        check_header(path, header)
        with silent_libraries():
            return _checked(header.Execute(), path)
    except (RuntimeError, MemoryError) as error:
        raise UserError(
            f"The DICOM series at {path} could not be read: a file in it is damaged, cut off or "
            "compressed in an unknown way, so export it again."
        ) from error


def _checked(image: sitk.Image, path: Path) -> Volume:
    check_spacing(path, image.GetSpacing())
    return Volume.from_image(image)


def _check_slices(series: Series, path: Path) -> None:
    """Check that the slices lie one behind the other at even distances.

    ITK takes the distance of the first two for all, so a missing slice would bend the volume.
    """
    headers = [_header(file) for file in series.files]
    try:
        positions = np.array(
            [[float(x) for x in _field(header, POSITION).split("\\")] for header in headers]
        ).reshape(-1, 3)
    except ValueError:
        raise UserError(
            f"The DICOM series at {path} has slices without a position: export it again."
        ) from None
    normal = np.array(headers[0].GetDirection()).reshape(3, 3)[:, 2]
    steps = np.diff(positions, axis=0)
    along = steps @ normal
    distance = float(np.median(np.abs(along)))
    off_line = float(np.abs(steps - np.outer(along, normal)).max())
    # A tenth of a slice: rounding in the files is far below it, a missing slice far above.
    if distance == 0 or np.abs(np.abs(along) - distance).max() > 0.1 * distance:
        raise UserError(
            f"The DICOM series at {path} has slices that are missing, repeated or unevenly spaced "
            f"(usually {distance:g} mm apart): export the whole series again, and only one volume."
        )
    if off_line > 0.1 * distance:
        raise UserError(
            f"The DICOM series at {path} has slices that are shifted sideways (a tilted gantry): "
            "resample it to a regular grid first."
        )


def _header(file: str) -> sitk.ImageFileReader:
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(file)
    reader.ReadImageInformation()
    return reader


def _field(reader: sitk.ImageFileReader, tag: str) -> str:
    return str(reader.GetMetaData(tag)).strip(" \0") if reader.HasMetaDataKey(tag) else ""
