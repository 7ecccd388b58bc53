"""Volumes on the working grid, prepared once and memory-mapped after that."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsema_core.datasets.datalist import Case
from gsema_core.errors import UserError
from gsema_core.files import atomic_path, make_folder
from gsema_core.labels import ANEURYSM, CLASSES, VESSEL
from gsema_core.volumes import (
    IntensityRule,
    labels_to_working,
    read_labels,
    read_volume,
    to_working,
)

_VERSION = 1  # of what the cache computes; raise it when that changes


@dataclass(frozen=True, eq=False)
class CachedVolume:
    """A case on the working grid.

    Attributes:
        image: (D, H, W) float16 in [0, 1], memory-mapped.
        labels: (D, H, W) uint8, memory-mapped.
        vessel_voxels, aneurysm_voxels: (N, 3) int32 indices of labelled voxels.
    """

    case: Case
    image: NDArray[np.float16]
    labels: NDArray[np.uint8]
    vessel_voxels: NDArray[np.int32]
    aneurysm_voxels: NDArray[np.int32]


@dataclass(frozen=True)
class VolumeCache:
    """Prepares cases for training and remembers them in ``folder``.

    An entry's name is a hash of the files' names, sizes and times, and of the settings: a changed
    file or setting never meets a stale entry. Entries are written beside and renamed, so that a
    half-written one is never seen.
    """

    folder: Path
    spacing_mm: float
    intensity: IntensityRule

    def load(self, case: Case) -> CachedVolume:
        """Return the case on the working grid, preparing it where needed.

        Raises:
            UserError: an image or label cannot be read, or they do not fit each other.
        """
        entry = self.folder / self._key(case)
        paths = {name: entry.with_suffix(f".{name}.npy") for name in _ARRAYS}
        if not all(path.is_file() for path in paths.values()):
            make_folder(self.folder)
            for name, array in self._prepare(case).items():
                with atomic_path(paths[name]) as temporary, temporary.open("wb") as file:
                    np.save(file, array)
        arrays = {name: np.load(path, mmap_mode="r") for name, path in paths.items()}
        return CachedVolume(case, **arrays)

    def _key(self, case: Case) -> str:
        settings: dict[str, Any] = {
            "version": _VERSION,
            "spacing_mm": self.spacing_mm,
            "intensity": self.intensity.to_dict(),
        }
        for name, path in (("image", case.image), ("label", case.label)):
            status = path.stat()
            settings[name] = [str(path.resolve()), status.st_size, status.st_mtime_ns]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:32]

    def _prepare(self, case: Case) -> dict[str, NDArray[Any]]:
        image, labels = read_volume(case.image), read_labels(case.label, range(CLASSES))
        if not image.geometry.is_close(labels.geometry):
            raise UserError(
                f"The label {case.label} does not lie on the grid of its image {case.image}: "
                "resample one onto the other."
            )
        working = to_working(image, self.spacing_mm)
        classes = labels_to_working(labels, self.spacing_mm).array.astype(np.uint8)
        return {
            "image": self.intensity.apply(working.array).astype(np.float16),
            "labels": classes,
            "vessel_voxels": np.argwhere(classes == VESSEL).astype(np.int32),
            "aneurysm_voxels": np.argwhere(classes == ANEURYSM).astype(np.int32),
        }


_ARRAYS = ("image", "labels", "vessel_voxels", "aneurysm_voxels")
