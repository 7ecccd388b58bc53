"""Reading the one volume of a DICOM folder, or saying why none was read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.dicom.choose import Series, all_series
from gsema_core.files.dicom.find import Damaged, Found, find_beside, find_images, joined
from gsema_core.files.dicom.frames import Frame
from gsema_core.files.dicom.pixels import physical_values
from gsema_core.files.dicom.plain_words import plain_words
from gsema_core.files.dicom.series_volume import SeriesSource, SeriesVolume, SourceSlice
from gsema_core.files.image_header import check_spacing
from gsema_core.files.voxel_data import DamagedFile
from gsema_core.text_tables import text_table

NAMED = 6
"""Series, files or reasons that a message names. Our choice."""


NO_ANGIOGRAPHY = ("MR", "Emission", "PET", "Nuclear", "Ultrasound")
"""In the names of the classes of other modalities. CT, X-ray and secondary capture may be one."""


def read_series(path: Path, number: int | None = None) -> SeriesVolume:
    """Read a volume.

    Where there are several, none is guessed: a subtracted and a native reconstruction of one run
    look alike to a program, and not at all alike to its reader.

    Args:
        path: a folder, searched with its subfolders; or one file, for the series it is part of.
        number: of the series in the study's table; None where there is but one volume.

    Raises:
        UserError: there is no volume, or several (with the study's table), or it cannot be read.
    """
    found = find_images(path if path.is_dir() else path.parent)
    series = all_series(found.images)
    if number is not None or path.is_dir():
        _check_images(found, path)
        chosen = _with_number(series, number, path) if number is not None else _only(series, path)
    else:
        chosen, found = _of_file(series, found, path)
    _check_undamaged(chosen, found.damaged, path)
    if chosen.stack is None:
        also = f"; {_told(found.damaged)}" if found.damaged else ""
        raise UserError(f"The DICOM series {chosen.title} at {path} {chosen.fault}{also}.")
    check_spacing(path, chosen.stack.geometry.spacing)
    try:
        array = physical_values(chosen.stack.frames)
    except DamagedFile as error:
        reason, file = error.args
        raise _damaged(chosen, [Damaged(file, reason, "")], path) from error
    except MemoryError as error:
        raise UserError(f"The image {path} is too large for this computer's memory.") from error
    return SeriesVolume(
        array,
        chosen.stack.geometry,
        chosen.describe(),
        _notes(chosen, found.damaged),
        _source(chosen.stack.frames),
    )


def study_table(folder: Path) -> list[dict[str, Any]]:
    """The series of a study, a row each.

    Raises:
        UserError: the folder has no images.
    """
    found = find_images(folder if folder.is_dir() else folder.parent)
    _check_images(found, folder)
    return [one.row() for one in all_series(found.images)]


def _source(frames: Sequence[Frame]) -> SeriesSource:
    slices = tuple(
        SourceSlice(
            frame.picture.path,
            frame.picture.kind,
            frame.picture.instance,
            frame.index + 1 if frame.picture.count > 1 else 0,
            frame.position,
        )
        for frame in frames
    )
    return SeriesSource(frames[0].picture.series, frames[0].orientation, slices)


def _check_images(found: Found, path: Path) -> None:
    """Check that there is an image."""
    if found.images:
        return
    if found.is_empty:
        raise UserError(
            f"The folder {path} has no DICOM images: give the folder of a DICOM series, or an "
            "image file (NRRD, NIfTI, MetaImage)."
        )
    if found.damaged:
        raise UserError(
            f"The folder {path} has DICOM files, but {_told(found.damaged)}: copy or export them "
            "again."
        )
    raise UserError(
        f"None of the DICOM files at {path} is an image (there are {found.others}, reports and the "
        "like): give the folder of the reconstructed rotational angiography."
    )


def _only(series: Sequence[Series], path: Path) -> Series:
    """The one volume of a study; where nothing could be one, the likeliest, with its fault."""
    meant = [one for one in series if one.is_meant]
    if len(meant) == 1:
        return meant[0]
    if meant:
        shown = "; ".join(one.title for one in meant[:NAMED])
        more = "; ..." if len(meant) > NAMED else ""
        raise UserError(
            f"The folder {path} has {len(meant)} DICOM volumes ({shown}{more}): choose one with "
            "--series and its number, or give one of its files.",
            text_table([one.row() for one in meant]),
        )
    stacks = [one for one in series if one.stack is not None]
    if len(stacks) == 1 or len(series) == 1:
        return (stacks or series)[0]
    shown = "; ".join(f"{one.title}: {one.problem or 'few slices'}" for one in series[:NAMED])
    raise UserError(
        f"The DICOM images at {path} do not make a 3D volume ({shown}): give the reconstructed "
        "rotational angiography."
    )


def _with_number(series: Sequence[Series], number: int, path: Path) -> Series:
    for one in series:
        if one.number == number:
            return one
    raise UserError(
        f"The study at {path} has no series {number}: choose one of "
        f"{', '.join(str(one.number) for one in series)}.",
        text_table([one.row() for one in series]),
    )


def _of_file(series: list[Series], found: Found, path: Path) -> tuple[Series, Found]:
    """The series that a file is part of; it may go on in the folders beside the file's."""
    for damaged in found.damaged:
        if damaged.path == path:
            raise UserError(f"The DICOM file {path} could not be read ({damaged.reason}): "
                            "it is damaged or cut off, so copy or export it again.")  # fmt: skip
    chosen = _holding(series, path)
    if chosen is None:
        raise UserError(f"The DICOM file {path} is no image: give one of the scan's.")
    more = joined(found, find_beside(path))
    longer = _holding(all_series(more.images), path)
    if longer is None or longer.stack is None:
        return chosen, found
    goes_on = chosen.stack is None or len(longer.frames) > len(chosen.frames)
    return (longer, more) if goes_on else (chosen, found)


def _holding(series: Sequence[Series], path: Path) -> Series | None:
    for one in series:
        if any(frame.picture.path == path for frame in one.frames):
            return one
    return None


def _check_undamaged(chosen: Series, damaged: Sequence[Damaged], path: Path) -> None:
    """Check that no slice was passed over: at an end, the volume would only be shorter."""
    own = [one for one in damaged if one.series == chosen.first.series]
    if own:
        raise _damaged(chosen, own, path)


def _damaged(chosen: Series, files: Sequence[Damaged], path: Path) -> UserError:
    return UserError(
        f"The DICOM series {chosen.title} at {path} is damaged or cut off, as {_told(files)}: "
        "copy or export it again."
    )


def _notes(chosen: Series, damaged: Sequence[Damaged]) -> tuple[str, ...]:
    kind = chosen.describe()["class"]
    notes = []
    if any(word in kind for word in NO_ANGIOGRAPHY):
        notes.append(f"The DICOM series is {kind}, no rotational angiography.")
    if damaged:
        notes.append(f"Of the study's DICOM files {_told(damaged)}.")
    return tuple(notes)


def _told(damaged: Sequence[Damaged]) -> str:
    """How many files could not be read, which, and why."""
    names = ", ".join(plain_words(one.path.name) for one in damaged[:NAMED])
    reasons = "; ".join(dict.fromkeys(one.reason for one in damaged[:NAMED]))
    more = ", ..." if len(damaged) > NAMED else ""
    files = "1 file" if len(damaged) == 1 else f"{len(damaged)} files"
    return f"{files} could not be read ({names}{more}: {reasons})"
