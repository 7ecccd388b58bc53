"""What every image format says of itself, in one form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.files.voxel_data import DamagedFile, VoxelData

SPACING_LIMITS_MM = (0.05, 5.0)
"""Rotational angiography has voxels of 0.1 to 0.6 mm; beyond these limits the header is wrong,
most often in cm, m or micrometers. Our choice."""

LARGEST_MM = 1e6
"""Of the numbers that say where the voxels lie: no scanner is a kilometer wide. Our choice."""

UNITS_MM = {
    "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "": 1.0, "?": 1.0, "???": 1.0, "unknown": 1.0,
    "m": 1e3, "meter": 1e3, "meters": 1e3, "cm": 10.0, "um": 1e-3, "\u00b5m": 1e-3,
    "\u03bcm": 1e-3, "micron": 1e-3, "microns": 1e-3, "micrometer": 1e-3, "micrometers": 1e-3,
}  # fmt: skip
"""Millimeters in a unit; one that is not told is mm, as in ITK and Slicer."""


@dataclass(frozen=True)
class ImageHeader:
    """What an image file says of its voxels and where they lie.

    Attributes:
        size: voxels along each axis, the fastest first; axes beyond space, as frames, come last.
        spacing: mm along the axes of space: the first three of ``size``, or fewer.
        origin: of the first voxel's center, in mm (LPS).
        direction: (3, 3); its columns are the axes' directions in LPS.
        voxels: where they are and as what.
        components: values a voxel.
        slope, intercept: from the stored value to the true one.
        texts: other texts, by their keys.

    Raises:
        DamagedFile: a number that says where the voxels lie is none, or beyond all measure.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: npt.NDArray[np.float64]
    voxels: VoxelData
    components: int = 1
    slope: float = 1.0
    intercept: float = 0.0
    texts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(abs(x) <= LARGEST_MM for x in self.origin):  # not a number fails too
            raise DamagedFile("a position that is no number, or beyond all measure")

    @property
    def count(self) -> int:
        """The number of stored values."""
        return math.prod(self.size) * self.components

    def read(self) -> npt.NDArray[Any]:
        """Read the values, in the order in which they are stored; scaled ones as floats.

        Raises:
            DamagedFile: values are missing or wrong.
        """
        array = self.voxels.read(self.count)
        if (self.slope, self.intercept) == (1.0, 0.0):
            return array
        array = array.astype(np.result_type(array.dtype, np.float32))
        array *= self.slope
        array += self.intercept
        return array


def unit_mm(path: Path, units: Sequence[str]) -> float:
    """Millimeters in the unit that a header tells for each axis.

    Raises:
        UserError: it is not known, or not the same for all.
    """
    sizes = {UNITS_MM.get(unit.strip().lower()) for unit in units} or {1.0}
    if len(sizes) > 1 or None in sizes:
        raise UserError(
            f"The image {path} is in the unit {', '.join(units)!r:.40}, where mm, cm, m or um is "
            "expected for all axes: correct its header."
        )
    return float(sizes.pop() or 1.0)


def check_spacing(path: Path, spacing: Sequence[float]) -> None:
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


def no_spacing(path: Path, name: str) -> UserError:
    """The refusal of an image that does not say how far its voxels lie apart."""
    return UserError(
        f"The image {path} says no voxel spacing, so nothing in it could be measured: add "
        f"{name} to its header, in mm, or export it again."
    )


def numbers(text: str, count: int, name: str) -> list[float]:
    """The numbers in a header's field; NaN may stand for one that is not told.

    Raises:
        DamagedFile: they are none, endless, or more or fewer.
    """
    try:
        values = [float(part) for part in text.split()]
    except ValueError:
        values = []
    if len(values) != count or any(map(math.isinf, values)):
        raise DamagedFile(f"the {name} {text!r:.40}")
    return values


def whole_numbers(text: str, count: int, name: str) -> list[int]:
    """The whole numbers in a header's field.

    Raises:
        DamagedFile: as for ``numbers``.
    """
    values = numbers(text, count, name)
    if not all(value == value // 1 and abs(value) < 2**53 for value in values):
        raise DamagedFile(f"the {name} {text!r:.40}")
    return [int(value) for value in values]


def decoded(content: bytes) -> str:
    """A header's text: UTF-8, or Latin-1 in which any bytes are letters."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
