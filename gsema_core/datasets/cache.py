"""Volumes on the working grid, prepared once and memory-mapped whenever they are looked at."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsema_core.datasets.case_files import read_case
from gsema_core.datasets.datalist import Case
from gsema_core.errors import BrokenOffError, UserError
from gsema_core.files.atomic import atomic_path, make_folder
from gsema_core.grids import labels_to_working
from gsema_core.intensities import IntensityRule
from gsema_core.intensities.appearance_ranges import NAMES, Appearance
from gsema_core.intensities.prepared_scan import prepare
from gsema_core.labels import ANEURYSM, VESSEL

_VERSION = 4  # of what the cache computes; raise it when that changes

_ARRAYS = {
    "image": (np.dtype(np.float16), 3),
    "labels": (np.dtype(np.uint8), 3),
    "vessel_voxels": (np.dtype(np.int32), 2),
    "aneurysm_voxels": (np.dtype(np.int32), 2),
    "appearance_values": (np.dtype(np.float64), 1),
}
"""The arrays of an entry: type and number of axes."""

_ONE_FILE = (".nrrd", ".nii", ".nii.gz", ".mha")
"""Images that lie in one file; others (DICOM, headers with separate voxels) fill a folder."""


class _Mapped:
    """A field that holds an array, or its file, which is memory-mapped anew at each look.

    Python keeps a file open for every mapping, and hundreds of cases have more files than many
    systems let a process open.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, volume: CachedVolume, owner: type) -> Any:
        held = vars(volume)[self.name]
        if not isinstance(held, Path):
            return held
        try:
            return np.load(held, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise BrokenOffError(
                f"A prepared case in {held.parent} cannot be read any more ({error}): start the "
                "run again, which prepares it anew and goes on from its last checkpoint."
            ) from error

    def __set__(self, volume: CachedVolume, held: Any) -> None:
        vars(volume)[self.name] = held


@dataclass(frozen=True, eq=False)
class CachedVolume:
    """A case on the working grid.

    Pickled for another process, it names the files of its arrays: nothing is copied.

    Attributes:
        image: (D, H, W) float16 in [0, 1], memory-mapped.
        labels: (D, H, W) uint8, memory-mapped.
        vessel_voxels, aneurysm_voxels: (N, 3) int32 indices of labelled voxels.
        appearance_values: of its ``Appearance``, in the order of ``appearance_ranges.NAMES``; None
            where nobody measured them.
    """

    case: Case
    image: NDArray[np.float16]
    labels: NDArray[np.uint8]
    vessel_voxels: NDArray[np.int32]
    aneurysm_voxels: NDArray[np.int32]
    appearance_values: NDArray[np.float64] | None = None

    @property
    def appearance(self) -> Appearance | None:
        """What the scan looks like."""
        values = self.appearance_values
        return None if values is None else Appearance(*values.tolist())

    def __reduce__(self) -> tuple[type[CachedVolume], tuple[Any, ...]]:
        return CachedVolume, (self.case, *(vars(self)[name] for name in _ARRAYS))


for _name in _ARRAYS:
    setattr(CachedVolume, _name, _Mapped(_name))


@dataclass(frozen=True)
class VolumeCache:
    """Prepares cases for training and remembers them in ``folder``.

    An entry's name is a hash of the settings and of the files' names, sizes and times, of every
    file of a DICOM folder too: a changed file or setting never meets a stale entry. Entries are
    written beside and renamed, and looked at before they are used: a damaged one is made anew.
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
        entry = self.folder / self._key(case)
        paths: dict[str, Any] = {
            name: entry.with_name(f"{entry.name}.{name}.npy") for name in _ARRAYS
        }
        if not _is_whole(paths):
            make_folder(self.folder)
            for name, array in self._prepare(case).items():
                with atomic_path(paths[name]) as temporary, temporary.open("wb") as file:
                    np.save(file, array)
        return CachedVolume(case, **paths)

    def _key(self, case: Case) -> str:
        settings: dict[str, Any] = {
            "version": _VERSION,
            "spacing_mm": self.spacing_mm,
            "intensity": self.intensity.to_dict(),
            "relabel": case.relabel,
            "image": _state("image", case.image),
            "label": _state("label map", case.label),
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:32]

    def _prepare(self, case: Case) -> dict[str, NDArray[Any]]:
        image, labels = read_case(case)
        prepared = prepare(image, self.spacing_mm, self.intensity)
        assert prepared.appearance is not None  # it was measured just now
        classes = labels_to_working(labels, self.spacing_mm).array.astype(np.uint8)
        return {
            "image": prepared.working.array.astype(np.float16),
            "labels": classes,
            "vessel_voxels": np.argwhere(classes == VESSEL).astype(np.int32),
            "aneurysm_voxels": np.argwhere(classes == ANEURYSM).astype(np.int32),
            "appearance_values": np.array(astuple(prepared.appearance), np.float64),
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
        return [path]
    return [file for file in path.resolve().parent.iterdir() if file.is_file()]


def _is_whole(paths: dict[str, Path]) -> bool:
    """Whether an entry's arrays are there, undamaged and what they should be."""
    arrays = {}
    for name, (kind, axes) in _ARRAYS.items():
        try:
            array = np.load(paths[name], mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):  # missing, cut off, or no such file at all
            return False
        if not isinstance(array, np.ndarray) or array.dtype != kind or array.ndim != axes:
            return False
        arrays[name] = array
    return (
        arrays["image"].shape == arrays["labels"].shape
        and all(arrays[name].shape[1] == 3 for name in ("vessel_voxels", "aneurysm_voxels"))
        and len(arrays["appearance_values"]) == len(NAMES)
    )
