"""What the scans looked like that a teacher was trained on, and whether another one does.

The numbers are measured in ``gsema_core.intensities.appearance``. No numpy here: cards hold the
ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

from gsema_core.configuration import check
from gsema_core.errors import UserError

Range = tuple[float, float]


@dataclass(frozen=True)
class Appearance:
    """What one scan looks like.

    Attributes:
        voxel_mm: the longest edge of a stored voxel.
        shortest_mm, longest_mm: extents of the scan.
        contrast: how much brighter than their surroundings (a cube of 13 mm, for the bundled
            teacher) the brightest 200 mm3 are, as a share of the scan's range.
        noise: standard deviation from voxel to voxel; a share of the contrast, like the next two.
        unevenness: standard deviation, robust, of all that is compared with its surroundings.
        dark: how much darker than their surroundings the darkest 200 mm3 are.
        bright: the share of the scan that has more than half of the contrast.
        joined: the share of that in pieces of at least 10 mm.
        tubes: the share of the sharpest 200 mm3 that is shaped like a tube.
        slices: standard deviation, over the mean, of what is bright in a slice, along the axis
            where that varies least.
    """

    voxel_mm: float
    shortest_mm: float
    longest_mm: float
    contrast: float = 0.0
    noise: float = 0.0
    unevenness: float = 0.0
    dark: float = 0.0
    bright: float = 0.0
    joined: float = 0.0
    tubes: float = 0.0
    slices: float = 0.0


@dataclass(frozen=True)
class AppearanceRanges:
    """The lowest and highest of each number over a teacher's training scans.

    Args:
        scans: how many were measured.
    """

    place: ClassVar[str] = "of the appearance on the card"

    scans: int
    voxel_mm: Range
    shortest_mm: Range
    longest_mm: Range
    contrast: Range
    noise: Range
    unevenness: Range
    dark: Range
    bright: Range
    joined: Range
    tubes: Range
    slices: Range

    def __post_init__(self) -> None:
        check(self)
        for name in NAMES:
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise UserError(
                    f"Setting {name} {self.place} is {[low, high]}: give two numbers that rise "
                    "from 0 on."
                )

    @classmethod
    def of(cls, appearances: Sequence[Appearance]) -> AppearanceRanges | None:
        """The ranges of some scans, to four digits; None of no scans."""
        if not appearances:
            return None
        ranges = {}
        for name in NAMES:
            values = [getattr(each, name) for each in appearances]
            ranges[name] = (float(f"{min(values):.4g}"), float(f"{max(values):.4g}"))
        return cls(len(appearances), **ranges)

    def joined_with(self, other: AppearanceRanges | None) -> AppearanceRanges:
        """The ranges of both teachers' scans: who is trained on knows them all."""
        if other is None:
            return self
        ranges = {}
        for name in NAMES:
            (low, high), (lower, higher) = getattr(self, name), getattr(other, name)
            ranges[name] = (min(low, lower), max(high, higher))
        return AppearanceRanges(self.scans + other.scans, **ranges)


NAMES = tuple(one.name for one in fields(Appearance))


@dataclass(frozen=True)
class Allowed:
    """How far beyond the training scans a number may be.

    Attributes:
        words: what is told of the number, which takes the place of {}.
        below, above: the factor by which it may be lower or higher; None for any.
        never_below, never_above: beyond that too, a scan is no angiography.
    """

    words: str
    below: float | None = None
    above: float | None = None
    never_below: float | None = None
    never_above: float | None = None

    def problem(self, value: float, trained_on: Range) -> str:
        """What is unusual about a value; empty where nothing is."""
        low, high = trained_on
        if (self.below is not None and value < low / self.below) or (
            self.above is not None and value > high * self.above
        ):
            return f"{self.words.format(_short(value))} ({_short(low)} to {_short(high)})"
        return ""

    def rules_out(self, value: float) -> bool:
        """Whether no angiography has this value, whatever a teacher was trained on."""
        return (self.never_below is not None and value < self.never_below) or (
            self.never_above is not None and value > self.never_above
        )


ALLOWED: dict[str, Allowed] = {
    "voxel_mm": Allowed("voxels of {} mm", below=2, above=1.5),
    "shortest_mm": Allowed("a shortest side of {} mm", below=2),
    "longest_mm": Allowed("a longest side of {} mm", above=2),
    "contrast": Allowed("a contrast of {} of the range of intensities", below=1.25),
    "noise": Allowed("noise of {} of the contrast", above=1.5, never_above=0.12),
    "unevenness": Allowed(
        "surroundings that vary by {} of the contrast", above=1.5, never_above=0.12
    ),
    "dark": Allowed("dark spots of {} of the contrast", above=1.25),
    "bright": Allowed("a bright share of {}", above=1.25),
    "joined": Allowed("{} of what is bright in long pieces", below=1.25, never_below=0.28),
    "tubes": Allowed("{} of what is sharpest shaped like tubes", below=1.05, never_below=0.48),
    "slices": Allowed("brightness that varies by {} from slice to slice", below=1.2),
}
"""The factors are ours, chosen by ``Testing/benchmarks/appearance.py``.
docs/explanation/appearance.md says which simulated scans they let pass, and which images that
are none."""


def unusual(appearance: Appearance, trained_on: AppearanceRanges) -> tuple[list[str], list[str]]:
    """What of a scan is unlike a teacher's training scans.

    Returns:
        A clause for each number that is; and those of them that no angiography has.
    """
    clauses, impossible = [], []
    for name, allowed in ALLOWED.items():
        value = getattr(appearance, name)
        clause = allowed.problem(value, getattr(trained_on, name))
        if clause:
            clauses.append(clause)
            if allowed.rules_out(value):
                impossible.append(clause)
    return clauses, impossible


def _short(value: float) -> str:
    """Two digits, and no powers of ten."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}" if value >= 1e-4 else "0"
