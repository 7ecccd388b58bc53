"""The images of a study: every DICOM file below a folder, whatever else lies there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from gsema_core.errors import UserError
from gsema_core.files.dicom import mark
from gsema_core.files.dicom.frames import Frame, frames_of
from gsema_core.files.dicom.mark import is_dicom
from gsema_core.files.dicom.picture import read_picture, series_of_damaged
from gsema_core.files.voxel_data import DamagedFile

MAXIMUM_NEIGHBORS = 2000
"""Files in the folders beside a given file's that are looked at for its series. Our choice."""


SUFFIXES = (".dcm", ".dicom", ".ima")
"""Names that promise a DICOM file; most have none."""


@dataclass(frozen=True)
class Damaged:
    """A DICOM file that cannot be read, why, and the series it is of where that can be told."""

    path: Path
    reason: str
    series: str


@dataclass
class Found:
    """What lies in a folder.

    Attributes:
        images: the frames of each file with an image; of copies of one image the first.
        damaged: DICOM files that could not be read.
        others: number of DICOM files without an image, such as reports.
    """

    images: list[list[Frame]] = field(default_factory=list)
    damaged: list[Damaged] = field(default_factory=list)
    others: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.images or self.damaged or self.others)


def find_images(folder: Path) -> Found:
    """The images in a folder and below it.

    Raises:
        UserError: it has far more files than a study.
    """
    return _read(_files(folder, mark.MAXIMUM_FILES))


def find_beside(file: Path) -> Found:
    """The images in the folders beside a file's own, where a series may go on.

    There are none where so many files lie there that it is no study.
    """
    own = file.absolute().parent
    try:
        folders = [one for one in sorted(own.parent.iterdir()) if one != own and one.is_dir()]
        files = chain.from_iterable(_files(one, MAXIMUM_NEIGHBORS) for one in folders)
        near = list(islice(files, MAXIMUM_NEIGHBORS + 1))
    except (OSError, UserError):
        return Found()
    return _read(near) if len(near) <= MAXIMUM_NEIGHBORS else Found()


def joined(first: Found, second: Found) -> Found:
    """What both have; of copies of one image those of the first."""
    found = Found([], [*first.damaged, *second.damaged], first.others + second.others)
    found.images.extend(_without_copies([*first.images, *second.images]))
    return found


def _files(folder: Path, most: int) -> Iterator[Path]:
    """The files in a folder and below it, by name; without what macOS puts beside each."""
    seen = 0
    for parent, folders, names in os.walk(folder):
        folders.sort()
        seen += len(names)
        if seen > most:
            raise UserError(
                f"The folder {folder} has more than {most} files: give the folder of the one DICOM "
                "series."
            )
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("._"))


def _read(paths: Iterable[Path]) -> Found:
    found = Found()
    images = []
    for path in paths:
        if not is_dicom(path):
            found.damaged.extend(_spoilt(path))
            continue
        try:
            picture = read_picture(path)
            frames = frames_of(picture) if picture is not None else []
        except DamagedFile as error:
            found.damaged.append(Damaged(path, str(error), series_of_damaged(path)))
        except OSError as error:
            found.damaged.append(Damaged(path, error.strerror or "no access", ""))
        else:
            found.others += not frames
            images += [frames] if frames else []
    found.images.extend(_without_copies(images))
    return found


def _spoilt(path: Path) -> Iterator[Damaged]:
    """What is called a DICOM file, or cannot be looked at, and is none."""
    if path.is_file():
        if not os.access(path, os.R_OK):
            yield Damaged(path, "it may not be read", "")
        elif path.suffix.lower() in SUFFIXES:
            yield Damaged(path, "empty" if path.stat().st_size == 0 else "no DICOM file", "")


def _without_copies(images: Iterable[list[Frame]]) -> Iterator[list[Frame]]:
    """Without copies of images: those of one identifier at one place."""
    seen = set()
    for frames in images:
        picture = frames[0].picture
        key = (picture.series, picture.instance, picture.count, frames[0].position)
        if not picture.instance or key not in seen:
            yield frames
        seen.add(key)
