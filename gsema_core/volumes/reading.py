"""Reading images and label maps."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from gsema_core.errors import UserError
from gsema_core.volumes.volume import Volume


def read_volume(path: str | os.PathLike[str]) -> Volume:
    """Read a scan."""
    if not Path(path).exists():
        raise UserError(f"The image {path} does not exist: check the path.")
    return Volume.from_image(sitk.ReadImage(str(path)))


def read_labels(path: str | os.PathLike[str], allowed: Sequence[int] = (0, 1, 2)) -> Volume:
    """Read a label map as uint8."""
    volume = read_volume(path)
    values = np.unique(volume.array)
    if not np.isin(values, allowed).all():
        raise UserError(f"The label map {path} has the values {values[:9]}, not only {allowed}.")
    return Volume(volume.array.astype(np.uint8), volume.geometry)
