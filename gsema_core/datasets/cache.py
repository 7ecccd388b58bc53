"""Volumes on the working grid, prepared once and memory-mapped whenever they are looked at."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsema_core.datasets.array_file import StoredArray, stored_arrays, write_arrays
from gsema_core.datasets.case_files import read_case
from gsema_core.datasets.datalist import Case
from gsema_core.datasets.label_checks import LabelSigns, label_signs
from gsema_core.errors import BrokenOffError, UserError
from gsema_core.files.atomic import atomic_path, make_folder
from gsema_core.files.label_words import own_words
from gsema_core.grids import labels_to_working
from gsema_core.intensities import IntensityRule
from gsema_core.intensities.appearance_ranges import NAMES, Appearance
from gsema_core.intensities.prepared_scan import prepare
from gsema_core.labels import ANEURYSM, IGNORE, VESSEL

_VERSION = 6  # of what the cache computes and of its file; raise it when either changes

_SUFFIX = ".safetensors"

_ENTRY = re.compile(r"[0-9a-f]{32}\.(safetensors|[a-z_]+\.npy)")
"""Names of entries; up to version 4 each array had a file of its own."""

_ARRAYS = {
    "image": (np.dtype(np.float16), 3),
    "labels": (np.dtype(np.uint8), 3),
    "vessel_voxels": (np.dtype(np.int32), 2),
    "aneurysm_voxels": (np.dtype(np.int32), 2),
    "appearance_values": (np.dtype(np.float64), 1),
    "sign_values": (np.dtype(np.float64), 1),
}
"""The arrays of an entry: type and number of axes."""

_ONE_FILE = (".nrrd", ".nii", ".nii.gz", ".mha")
"""Images that lie in one file; others (DICOM, headers with separate voxels) fill a folder."""


class _Mapped:
    """A field that holds an array, or where it is stored, which is memory-mapped at each look.

    Python keeps a file open for every mapping, and there may be more cases than files that the
    system lets a process open.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, volume: CachedVolume, owner: type) -> Any:
        held = vars(volume)[self.name]
        if not isinstance(held, StoredArray):
            return held
        try:
            return held.open()
        except (OSError, ValueError) as error:
            raise BrokenOffError(
                f"A prepared case in {held.path.parent} cannot be read any more ({error}): start "
                "the run again, which prepares it anew and goes on from its last checkpoint."
            ) from error

    def __set__(self, volume: CachedVolume, held: Any) -> None:
        vars(volume)[self.name] = held


@dataclass(frozen=True, eq=False)
class CachedVolume:
    """A case on the working grid.

    Pickled for another process, it names the file of its arrays: nothing is copied.

    Attributes:
        image: (D, H, W) float16 in [0, 1], memory-mapped.
        labels: (D, H, W) uint8, memory-mapped.
        vessel_voxels, aneurysm_voxels: (N, 3) int32 indices of labelled voxels.
        appearance_values: of its ``Appearance``, in the order of ``appearance_ranges.NAMES``; None
            where nobody measured them.
        sign_values: of its ``LabelSigns``, looked at on the scan's own grid; None likewise.
    """

    case: Case
    image: NDArray[np.float16]
    labels: NDArray[np.uint8]
    vessel_voxels: NDArray[np.int32]
    aneurysm_voxels: NDArray[np.int32]
    appearance_values: NDArray[np.float64] | None = None
    sign_values: NDArray[np.float64] | None = None

    @property
    def appearance(self) -> Appearance | None:
        """What the scan looks like."""
        values = self.appearance_values
        return None if values is None else Appearance(*values.tolist())

    @property
    def label_signs(self) -> LabelSigns | None:
        """What tells whether its labels are what they should be."""
        return None if self.sign_values is None else LabelSigns.of_values(self.sign_values)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of one of its arrays; no file is opened."""
        shape: tuple[int, ...] = vars(self)[name].shape
        return shape

    def __reduce__(self) -> tuple[type[CachedVolume], tuple[Any, ...]]:
        return CachedVolume, (self.case, *(vars(self)[name] for name in _ARRAYS))


for _name in _ARRAYS:
    setattr(CachedVolume, _name, _Mapped(_name))


@dataclass(frozen=True)
class VolumeCache:
    """Prepares cases for training and keeps them in ``folder``, one file a case.

    The name of an entry is a hash of the settings and of the names, sizes and times of the files,
    also of every file in a DICOM folder. After a change of a file or a setting, an old entry is
    therefore never used. Entries are written to another name and then renamed, and they are
    checked before they are used: a damaged one is made anew.

    Several runs may share a folder, also on a network drive; no lock is needed. A whole entry is
    never replaced, so that none vanishes while another run reads it. Each use sets the date of an
    entry, so that entries that were not used for long can be found.
    """

    folder: Path
    spacing_mm: float
    intensity: IntensityRule

    def load(self, case: Case) -> CachedVolume:
        """Return the case on the working grid, preparing it where needed.

        Raises:
            UserError: an image or label cannot be read, or they do not fit each other; or the
                entry cannot be written.
        """
        path = self.folder / f"{self._key(case)}{_SUFFIX}"
        found = _entry(path)
        if not found:
            make_folder(self.folder)
            arrays = self._prepare(case)
            found = _entry(path)  # of another run that was at the same case meanwhile
            if not found:
                with atomic_path(path) as temporary, temporary.open("wb") as file:
                    write_arrays(file, arrays)
                found = stored_arrays(path)
        else:
            with suppress(OSError):  # of another user, or read-only
                os.utime(path)
        return CachedVolume(case, **found)

    def keep_only(self, cases: Iterable[Case]) -> int:
        """Delete the entries of all other cases and settings; return how many files went.

        Only for a cache that no other run shares. Files that are no entries stay.
        """
        used = {f"{self._key(case)}{_SUFFIX}" for case in cases}
        unused = [
            path
            for path in self.folder.iterdir()
            if _ENTRY.fullmatch(path.name) and path.name not in used
        ]
        with suppress(OSError):  # it only takes room
            for path in unused:
                path.unlink(missing_ok=True)
        return len(unused)

    def _key(self, case: Case) -> str:
        settings: dict[str, Any] = {
            "version": _VERSION,
            "spacing_mm": self.spacing_mm,
            "intensity": self.intensity.to_dict(),
            "relabel": case.relabel,
            "labels": [case.labels.to_entry(), own_words()],
            "image": _state("image", case.image),
            "label": _state("label map", case.label),
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:32]

    def _prepare(self, case: Case) -> dict[str, NDArray[Any]]:
        image, labels = read_case(case)
        signs = label_signs(image.array, labels.array, image.geometry.spacing[::-1])
        prepared = prepare(image, self.spacing_mm, self.intensity)
        assert prepared.appearance is not None  # it was measured just now
        classes = labels_to_working(labels, self.spacing_mm).array.astype(np.uint8)
        if (classes == IGNORE).all():
            raise UserError(
                f"The label map {case.label} ignores every voxel at {self.spacing_mm:g} mm: leave "
                "this case out, or label more of it."
            )
        return {
            "image": prepared.working.array.astype(np.float16),
            "labels": classes,
            "vessel_voxels": np.argwhere(classes == VESSEL).astype(np.int32),
            "aneurysm_voxels": np.argwhere(classes == ANEURYSM).astype(np.int32),
            "appearance_values": np.array(astuple(prepared.appearance), np.float64),
            "sign_values": signs.to_values(),
        }


def _state(what: str, path: Path) -> list[Any]:
    """Name, size and times of the files of an image.

    The time of the last change of the file itself (ctime) tells also a file that was replaced by
    one of the same size and date.
    """
    try:
        states = [(file, file.stat()) for file in sorted(_files_of(path))]
    except OSError as error:
        raise UserError(
            f"The {what} {path} cannot be used ({error.strerror}): check that it is there and "
            "that you may read it."
        ) from error
    return [
        str(path.resolve()),
        *([str(file), s.st_size, s.st_mtime_ns, s.st_ctime_ns] for file, s in states),
    ]


def _files_of(path: Path) -> list[Path]:
    """The files that an image may lie in: a folder's are those of its subfolders too."""
    if path.is_dir():
        folders = os.walk(path.resolve())
        return [Path(parent, name) for parent, _, names in folders for name in names]
    if path.name.lower().endswith(_ONE_FILE):
        return [path.resolve()]
    return [file for file in path.resolve().parent.iterdir() if file.is_file()]


def _entry(path: Path) -> dict[str, Any]:
    """An entry's arrays; none where they are not there, undamaged and what they should be."""
    try:
        found = stored_arrays(path)
        kinds = {name: (array.dtype, len(array.shape)) for name, array in found.items()}
        usable = (
            kinds == _ARRAYS
            and found["image"].shape == found["labels"].shape
            and all(found[name].shape[1] == 3 for name in ("vessel_voxels", "aneurysm_voxels"))
            and found["appearance_values"].shape == (len(NAMES),)
            and found["sign_values"].shape == (len(fields(LabelSigns)),)
        )
    except (OSError, ValueError):  # missing, cut off, or no such file at all
        return {}
    return dict(found) if usable else {}
