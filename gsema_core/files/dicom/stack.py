"""From frames to a grid: only frames that lie one behind the other at even distances make one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gsema_core.grids.geometry import Floats, Geometry

if TYPE_CHECKING:
    from gsema_core.files.dicom.frames import Frame

TOLERANCE = 0.1
"""Of a voxel: rounding to 2 decimals is below it at 0.06 mm, a missing slice far above. Ours."""
ROUNDED_AXES = 1e-3
"""What rounding to 3 decimals does to a unit vector."""
SAME_PLACE_MM = 1e-3
"""Frames closer than this are at one place. Our choice."""


class NoStack(Exception):
    """Frames that make no grid; says why, and what to do, after "The DICOM series X".

    Attributes:
        flat: all of them are at one place, or there is only one: nobody meant a volume.
        twice: some positions are covered more than once.
    """

    def __init__(self, fault: str, *, flat: bool = False, twice: bool = False) -> None:
        super().__init__(fault)
        self.flat, self.twice = flat, twice


@dataclass(frozen=True, eq=False)
class Stack:
    """Frames in the order of their positions, and the grid that they make."""

    frames: tuple[Frame, ...]
    geometry: Geometry
    places: Floats

    def overlaps(self, other: Stack) -> bool:
        """Whether both cover the same stretch along the normal."""
        return bool(max(self.places[0], other.places[0]) < min(self.places[-1], other.places[-1]))


def stacked(frames: Sequence[Frame]) -> Stack:
    """Sort frames along their normal.

    Args:
        frames: of the same rows, columns and orientation, in any order.

    Raises:
        NoStack: they do not lie at even distances one behind the other.
    """
    _check_said(frames)
    axes = _axes(frames[0].orientation)
    positions = np.array([frame.position for frame in frames])
    along = positions @ axes[2]
    order = np.argsort(along, kind="stable")
    positions, along = positions[order], along[order]
    step = _check_even(along)
    spacing = np.median([frame.spacing for frame in frames], axis=0)
    _check_straight(positions, along, axes[2], float(min(*spacing, step)))
    first = frames[order[0]].picture
    geometry = Geometry(
        (first.columns, first.rows, len(frames)),
        (float(spacing[0]), float(spacing[1]), step),
        tuple(positions[0]),
        tuple(axes.T.reshape(-1)),
    )
    return Stack(tuple(frames[index] for index in order), geometry, along)


def _check_said(frames: Sequence[Frame]) -> None:
    """Check that every frame says where it is and how large its voxels are."""
    if not all(frame.position and frame.orientation for frame in frames):
        raise NoStack(
            "does not say where its slices lie in the patient (position and orientation): export "
            "the reconstructed volume again, with its geometry",
            flat=True,
        )
    if not all(frame.spacing and min(frame.spacing) > 0 for frame in frames):
        raise NoStack(
            "has no pixel spacing (the detector's does not count): export it again from the "
            "scanner's workstation",
            flat=True,
        )
    if len(frames) < 2:
        raise NoStack("has one slice only: give the whole series", flat=True)
    spacings = np.array([frame.spacing for frame in frames])
    if np.ptp(spacings, axis=0).max() > ROUNDED_AXES * spacings.min():
        raise NoStack(
            f"has slices of different pixel spacings, from {spacings.min():g} to "
            f"{spacings.max():g} mm: export one volume"
        )


def _axes(orientation: Sequence[float]) -> Floats:
    """Unit vectors along a row, down a column and along the normal, as rows."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(row @ column)) > 10 * ROUNDED_AXES:
        raise NoStack("has axes that are no unit vectors at right angles: export it again")
    normal = np.cross(row, column)
    normal /= np.linalg.norm(normal)
    row /= lengths[0]
    return np.array([row, np.cross(normal, row), normal])


def _check_even(along: Floats) -> float:
    """The distance of the slices in mm, which lie ``along`` the normal in rising order."""
    steps = np.diff(along)
    if along[-1] - along[0] < SAME_PLACE_MM:
        raise NoStack(
            f"has all its slices at one place ({along[0]:.4g} mm along the normal): give a volume",
            flat=True,
        )
    usual = float(np.quantile(steps[steps > SAME_PLACE_MM], 0.5, method="lower"))
    twice = steps < TOLERANCE * usual
    if twice.any():
        raise NoStack(
            f"covers {twice.sum()} of its positions twice ({_shown(along[1:][twice])} along the "
            "normal): export one volume only",
            twice=True,
        )
    step = float(along[-1] - along[0]) / (len(along) - 1)
    if np.abs(along - along[0] - step * np.arange(len(along))).max() <= TOLERANCE * step:
        return step
    counts = np.round(steps / usual)
    even = np.abs(steps - counts * usual) <= 2 * TOLERANCE * usual
    gaps = np.flatnonzero(counts > 1)
    where = gaps if even.all() else np.flatnonzero(np.abs(steps - usual) > TOLERANCE * usual)
    places = ", ".join(f"{along[at]:.2f} to {along[at + 1]:.2f}" for at in where[:3])
    more = ", ..." if len(where) > 3 else ""
    if even.all():
        missing = int(counts.sum()) - len(steps)
        raise NoStack(
            f"lacks {missing} slice{'' if missing == 1 else 's'}: they are {usual:.4g} mm apart, "
            f"but there are gaps at {places}{more} mm along the normal: export the whole series "
            "again"
        )
    raise NoStack(
        f"has slices at uneven distances: usually {usual:.4g} mm, but not at {places}{more} mm "
        "along the normal: export it again, or resample it to a regular grid"
    )


def _check_straight(positions: Floats, along: Floats, normal: Floats, voxel: float) -> None:
    """Check that the slices lie behind each other, not beside (a tilted gantry)."""
    aside = positions - positions[0] - np.outer(along - along[0], normal)
    far = np.linalg.norm(aside, axis=1)
    # Rounded axes turn the normal, which shows more the longer the volume is.
    if far.max() > TOLERANCE * voxel + ROUNDED_AXES * (along[-1] - along[0]):
        at = int(far.argmax())
        raise NoStack(
            f"has slices that are shifted sideways, by up to {far[at]:.2f} mm at {along[at]:.2f} "
            "mm along the normal (a tilted gantry): resample it to a regular grid first"
        )


def _shown(places: npt.NDArray[np.float64]) -> str:
    some = ", ".join(f"{place:.2f}" for place in places[:3])
    return f"{some}{', ...' if len(places) > 3 else ''} mm"
