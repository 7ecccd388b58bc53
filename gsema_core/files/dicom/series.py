"""Finding and reading the one volume in a folder of DICOM files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from gsema_core.errors import UserError
from gsema_core.files.dicom.structure import check_structure
from gsema_core.files.image_files import check_header, check_spacing
from gsema_core.files.silence import silent_libraries
from gsema_core.files.voxel_data import DamagedFile
from gsema_core.grids.volume import Volume

MAXIMUM_FILES = 20_000
"""Files looked at in a folder before it is taken for the wrong one. Our choice."""

FILES_BEFORE_FIRST = 200
"""Other files that may come before a folder's first DICOM file. Our choice."""

PROJECTION_CLASSES = ("1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2")
"""X-ray angiographic and radiofluoroscopic images: the run that a 3D volume was made from."""

SERIES_DESCRIPTION, SERIES_UID = "0008|103e", "0020|000e"
SOP_CLASS, POSITION = "0008|0016", "0020|0032"
DETAILS = ("0020|0011", "0018|0024", "0018|0050", "0028|0010", "0028|0011")
"""Series number, sequence, slice thickness, rows and columns: they part a scout image from its
series' volume, as GDCM has it."""


@dataclass(frozen=True)
class Slice:
    """What a file's header says.

    Attributes:
        position: mm (LPS) of its first voxel; empty where it says none.
        normal: of its plane.
    """

    file: str
    uid: str
    sop_class: str
    description: str
    details: tuple[str, ...]
    components: int
    frames: int
    position: tuple[float, ...]
    normal: tuple[float, ...]


@dataclass(frozen=True)
class Series:
    """The slices of one series in one folder, sorted along their normal."""

    slices: tuple[Slice, ...]

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(one.file for one in self.slices)


def is_dicom(path: Path) -> bool:
    """Whether a file has the DICOM mark."""
    try:
        if not path.is_file():  # a pipe would wait for a writer
            return False
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def has_dicom(folder: Path) -> bool:
    """Whether a folder, or one below it, has a DICOM file, as far as its first files tell."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return any(is_dicom(path) for path in islice(files, FILES_BEFORE_FIRST))


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
        firsts = [series.slices[0] for series in volumes[:6]]
        shown = "; ".join(f"{one.description!r:.80} with {one.file}" for one in firsts)
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
    """The series of a folder's files; only files with the DICOM mark get to GDCM."""
    found: dict[tuple[str, ...], list[Slice]] = {}
    for path in sorted(folder.iterdir()):
        if is_dicom(path) and (one := _slice(path)) is not None:
            found.setdefault((one.uid, one.sop_class, *one.details), []).append(one)
    for slices in found.values():
        if all(one.position for one in slices):
            normal = np.array(slices[0].normal)
            slices.sort(key=lambda one: float(normal @ one.position))
        yield Series(tuple(slices))


def _slice(path: Path) -> Slice | None:
    """What a file's header says; None for what has no image, like a DICOMDIR, and for damage."""
    try:
        check_structure(path)
        reader = _header(str(path))
    except (DamagedFile, OSError, RuntimeError):
        return None
    return Slice(
        str(path),
        _field(reader, SERIES_UID),
        _field(reader, SOP_CLASS),
        _field(reader, SERIES_DESCRIPTION) or "no description",
        tuple(_field(reader, tag) for tag in DETAILS),
        reader.GetNumberOfComponents(),
        reader.GetSize()[2] if reader.GetDimension() == 3 else 1,
        _position(reader),
        tuple(reader.GetDirection()[2::3]) if reader.GetDimension() == 3 else (),
    )


def _position(reader: sitk.ImageFileReader) -> tuple[float, ...]:
    try:
        values = tuple(float(x) for x in _field(reader, POSITION).split("\\"))
    except ValueError:
        return ()
    return values if len(values) == 3 and bool(np.isfinite(values).all()) else ()


def _names(series: Series, path: Path) -> bool:
    return any(path.samefile(file) for file in series.files)


def _may_be_volume(series: Series) -> bool:
    first, count = series.slices[0], len(series.slices)
    return (
        first.components == 1
        and first.sop_class not in PROJECTION_CLASSES
        and (first.frames if count == 1 else count) > 1
    )


def _check_complete(series: Series, known: set[str]) -> None:
    """Check that no slice was passed over because it is damaged."""
    first = series.slices[0]
    names = {Path(file).name for file in known}
    for path in Path(first.file).parent.iterdir():
        if path.name in names or not path.is_file() or not is_dicom(path):
            continue
        with path.open("rb") as file:
            head = file.read(2**16)
        # Element (0002,0002), the kind of object, is always explicit little endian. A report
        # or a presentation state names the series as well, but is of another kind.
        at = head.find(b"\x02\x00\x02\x00UI")
        kind = head[at + 8 : at + 8 + int.from_bytes(head[at + 6 : at + 8], "little")]
        same_kind = at >= 0 and kind.strip(b" \0") == first.sop_class.encode()
        if same_kind and first.uid.encode() in head:
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
    if not all(one.position for one in series.slices):
        raise UserError(
            f"The DICOM series at {path} has slices without a position: export it again."
        )
    positions = np.array([one.position for one in series.slices])
    normal = np.array(series.slices[0].normal)
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
