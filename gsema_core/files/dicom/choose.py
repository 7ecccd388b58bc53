"""Which series of a study are volumes, and which of them is meant.

One volume is what has one series instance UID and the same rows, columns and orientation, over
all folders. Two passes under one UID are two volumes, told apart by acquisition number, image
type or file; where nothing tells them apart they are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydicom.uid import UID

from gsema_core.files.dicom.elements import vector_of
from gsema_core.files.dicom.frames import Frame
from gsema_core.files.dicom.picture import Picture
from gsema_core.files.dicom.plain_words import plain_words, short_hash
from gsema_core.files.dicom.stack import NoStack, Stack, stacked
from gsema_core.files.image_header import SPACING_LIMITS_MM

SAME_AXES = 2e-3
"""Axes closer than this are one orientation, rounded; a rotating view turns by 0.02 a picture."""
LEAST_SLICES = 4
"""Of what may be meant where there is more to choose from: scouts have one to three. Ours."""
LEAST_NUMBERED = 6
"""Slices that it takes to see by their numbers that two passes lie in each other. Our choice."""
THICK = 1.5
"""Slices of passes half a slice apart are about twice as thick as they are apart. Ours."""

_TELL_APART: tuple[Callable[[Picture], Hashable], ...] = (
    lambda picture: picture.acquisition,
    lambda picture: picture.image_type,
    lambda picture: (picture.acquisition, picture.image_type, picture.kind),
    lambda picture: id(picture) if picture.count > 1 else None,
)


@dataclass(frozen=True, eq=False)
class Series:
    """Frames that are one volume, or none.

    Attributes:
        number: to choose it by: the scanner's where that is no other's.
        stack: the volume; None where it is none.
        fault: why it is none, after "The DICOM series X".
        is_meant: it may be what a user means: a volume, or one with a fault.
        is_twice: its fault is that it covers positions more than once.
    """

    number: int
    frames: tuple[Frame, ...]
    stack: Stack | None
    fault: str
    is_meant: bool
    is_twice: bool = False

    @property
    def first(self) -> Picture:
        return self.frames[0].picture

    @property
    def title(self) -> str:
        """Number and description, as far as these name nobody."""
        return f"{self.number} ({plain_words(self.first.description) or 'no description'})"

    @property
    def problem(self) -> str:
        """Why it is no volume, in a few words; empty where it is one."""
        if self.stack is not None:
            return ""
        return self.first.problem or self.fault.partition(":")[0]

    def describe(self) -> dict[str, Any]:
        """What a report says of it: nothing that identifies a patient."""
        picture = self.first
        return {
            "number": self.number,
            "description": plain_words(picture.description),
            "slices": len(self.frames),
            "hash": short_hash(picture.series),
            "class": _class_name(picture),
            "image_type": plain_words(" ".join(picture.image_type)),
        }

    def row(self) -> dict[str, Any]:
        """A line of the study's table."""
        told = self.describe()
        size: tuple[int, ...] = self.first.columns, self.first.rows
        spacing: tuple[float, ...] = ()
        if self.stack is not None:
            size, spacing = self.stack.geometry.size, self.stack.geometry.spacing
        return {
            "number": self.number,
            "description": told["description"],
            "size": " x ".join(map(str, size)),
            "spacing_mm": " x ".join(f"{mm:.4g}" for mm in spacing) or None,
            "slices": told["slices"],
            "class": told["class"],
            "image_type": told["image_type"],
            "volume": f"no: {self.problem}" if self.problem else "yes",
        }


def all_series(images: Iterable[Sequence[Frame]]) -> list[Series]:
    """The series of a study by their numbers; what is no volume has one for all of a UID.

    Args:
        images: the frames of each file.
    """
    found: list[Series] = []
    for group in _groups(images):
        found += _volumes(group)
    meant = [one for one in found if one.is_meant]
    others: dict[str, list[Series]] = {}
    for one in found:
        if not one.is_meant:
            others.setdefault(one.first.series, []).append(one)
    volumes = {one.first.series for one in meant}
    # A scout beside its volume is no series of its own.
    rest = [_together(some) for uid, some in others.items() if uid not in volumes]
    return _numbered([*meant, *rest])


def _together(some: Sequence[Series]) -> Series:
    """What is no volume, of one series, as one."""
    if len(some) == 1:
        return some[0]
    fault = "holds pictures of different sizes or directions: give the reconstructed volume"
    frames = tuple(frame for one in some for frame in one.frames)
    return replace(some[0], frames=frames, fault=fault)


def _numbered(found: list[Series]) -> list[Series]:
    found.sort(key=lambda one: (one.first.number < 1, one.first.number))
    used: set[int] = set()
    following = max((one.first.number for one in found), default=0)
    result = []
    for one in found:
        number = one.first.number
        if number < 1 or number in used:
            following = max(following, 0) + 1
            number = following
        used.add(number)
        result.append(replace(one, number=number))
    return sorted(result, key=lambda one: one.number)


def _groups(images: Iterable[Sequence[Frame]]) -> list[list[Frame]]:
    """Frames by series, rows, columns and orientation."""
    groups: dict[tuple[Hashable, ...], list[list[Frame]]] = {}
    for frames in images:
        picture = frames[0].picture
        key = (picture.series, picture.rows, picture.columns, picture.problem)
        alike = groups.setdefault(key, [])
        for frame in frames:
            for group in alike:
                if _same_axes(group[0].orientation, frame.orientation):
                    group.append(frame)
                    break
            else:
                alike.append([frame])
    return [group for alike in groups.values() for group in alike]


def _same_axes(one: Sequence[float], other: Sequence[float]) -> bool:
    if len(one) != len(other):
        return False
    return all(abs(a - b) <= SAME_AXES for a, b in zip(one, other, strict=True))


def _volumes(group: list[Frame]) -> list[Series]:
    """The volume of a group, or several where it holds several passes."""
    if group[0].picture.problem:
        fault = (
            f"does not make a 3D volume, as it holds {group[0].picture.problem}: give the "
            "reconstructed rotational angiography"
        )
        return [Series(0, tuple(group), None, fault, False)]
    whole = _series(group)
    for tell_apart in _TELL_APART:
        parts: dict[Hashable, list[Frame]] = {}
        for frame in group:
            parts.setdefault(tell_apart(frame.picture), []).append(frame)
        passes = [_series(part) for part in parts.values()]
        if len(passes) > 1 and _are_passes(whole, passes):
            return passes
    if whole.stack is not None and _lie_in_each_other(whole.stack):
        fault = (
            "seems to hold two passes, half a slice apart (their slices' numbers take turns): "
            "export one volume only"
        )
        return [replace(whole, stack=None, fault=fault)]
    return [whole]


def _series(frames: list[Frame]) -> Series:
    try:
        stack = stacked(frames)
    except NoStack as error:
        return Series(0, tuple(frames), None, str(error), not error.flat, error.twice)
    # Scouts are few, or far apart.
    meant = len(frames) >= LEAST_SLICES and stack.geometry.spacing[2] <= SPACING_LIMITS_MM[1]
    return Series(0, tuple(frames), stack, "", meant)


def _are_passes(whole: Series, passes: list[Series]) -> bool:
    """Whether the parts of a group are volumes of their own rather than parts of one."""
    stacks = [one.stack for one in passes if one.stack is not None]
    if whole.stack is None:
        return len(stacks) == len(passes) or (bool(stacks) and whole.is_twice)
    return len(stacks) == len(passes) and any(
        one.overlaps(other) for number, one in enumerate(stacks) for other in stacks[:number]
    )


def _lie_in_each_other(stack: Stack) -> bool:
    """Whether every other slice is of another pass, as the slices' numbers tell.

    In one pass the numbers rise or fall along the volume. Two passes that lie in each other are
    counted one after the other, or from the same number on.
    """
    orders = np.array([frame.picture.order for frame in stack.frames])
    first = stack.frames[0].picture
    thickness = vector_of(first.header, "SliceThickness", 1)
    thin = bool(thickness) and thickness[0] < THICK * stack.geometry.spacing[2]
    if len(orders) < LEAST_NUMBERED or first.count > 1 or thin:
        return False
    one, other = orders[::2], orders[1::2]
    if not (_is_monotonic(one) and _is_monotonic(other)) or _is_monotonic(orders):
        return False
    apart = one.max() < other.min() or other.max() < one.min()
    return bool(apart or len(np.intersect1d(one, other)) >= len(other) - 1)


def _is_monotonic(numbers: Any) -> bool:
    steps = np.diff(numbers)
    return bool((steps > 0).all() or (steps < 0).all())


def _class_name(picture: Picture) -> str:
    """The kind of object in the standard's words."""
    name = UID(picture.kind).name
    if name == picture.kind:
        return "unknown"
    return name.removesuffix(" Storage").removesuffix(" Image")
