"""Which clicks are on the same aneurysm, decided by the answers to them.

1. In their order, a click inside that lies in what an earlier aneurysm's answer holds refines it.
2. Any other is answered alone. If that answer shares at least half the voxels of the smaller of the
   two with an earlier one, both are one aneurysm, which is answered with both clicks; a click that
   its own answer does not hold lies beside this aneurysm and changes nothing, as a note says.
   Otherwise a new aneurysm begins.
3. A click outside counts for the aneurysm nearest to it.
4. Where the answers of two aneurysms still share voxels they touch: each is answered again with
   the other's clicks as clicks outside.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gsema_core.grids.boxes import common_box, moved
from gsema_core.inference.click.click_result import ClickResult, FoundAneurysm
from gsema_core.inference.click.points import Clicks, Point, describe, nearest_voxel

SAME = 0.5
"""Share of the smaller of two answers in the other from which on they are one aneurysm. Ours."""

Answer = Callable[[Sequence[Point], Sequence[Point]], ClickResult]
"""The answer to clicks inside and outside, all on one aneurysm."""


@dataclass
class _Group:
    """The clicks on one aneurysm so far, and the answer to them."""

    inside: list[Point]
    result: ClickResult
    notes: list[str] = field(default_factory=list)

    def told(self) -> ClickResult:
        """The answer with all notes."""
        notes = (*self.result.notes, *self.notes)
        report = {**self.result.report, "notes": [*self.result.report["notes"], *self.notes]}
        return replace(self.result, notes=notes, report=report)


def group_clicks(clicks: Clicks, answer: Answer) -> list[ClickResult]:
    """Answer clicks on one aneurysm or several, by the rules above.

    Args:
        clicks: inside the scan.
        answer: called at least once for each click inside.

    Returns:
        A result for each aneurysm, and for each click inside that found nothing.
    """
    groups: list[_Group] = []
    for point in clicks.inside:
        _add(groups, point, answer)
    outside: list[list[Point]] = [[] for _ in groups]
    for point in clicks.outside:
        away = [_distance_mm(group.result, point) for group in groups]
        outside[int(np.argmin(away))].append(point)
    for group, points in zip(groups, outside, strict=True):
        if points:
            group.result = answer(group.inside, points)
    touching = [
        [other for other in groups if other is not group and _shared(group.result, other.result)]
        for group in groups
    ]
    for group, points, others in zip(groups, outside, touching, strict=True):
        theirs = [point for other in others for point in other.inside]
        if theirs:
            group.result = answer(group.inside, [*points, *theirs])
    for one, other in itertools.combinations(groups, 2):
        if _shared(one.result, other.result):
            other.notes.append(
                "It shares voxels with the aneurysm at "
                f"{describe(one.inside[0])}, which has them in the label map."
            )
    return [group.told() for group in groups]


def _add(groups: list[_Group], point: Point, answer: Answer) -> None:
    """Put a click inside where it belongs."""
    for group in groups:
        if _holds(group.result, point):
            group.inside.append(point)
            group.result = answer(group.inside, ())
            return
    alone = answer([point], ())
    for group in groups:
        if _shared(alone, group.result) >= SAME:
            if _holds(alone, point):
                group.inside.append(point)
                group.result = answer(group.inside, ())
            else:
                group.notes.append(
                    f"The point {describe(point)} lies beside the aneurysm at "
                    f"{describe(group.inside[0])} and changed nothing."
                )
            return
    groups.append(_Group([point], alone))


def _holds(result: ClickResult, point: Point) -> bool:
    """Whether the answer has the voxel of a point."""
    if result.found is None:
        return False
    voxel = nearest_voxel(point, result.geometry)
    sides = zip(voxel, result.found.box, strict=True)
    if not all(side.start <= n < side.stop for n, side in sides):
        return False
    inner = np.subtract(voxel, [side.start for side in result.found.box])
    return bool(result.found.labels.array[tuple(inner)])


def _shared(one: ClickResult, other: ClickResult) -> float:
    """The voxels that two answers share, as a share of the smaller one's."""
    if one.found is None or other.found is None:
        return 0.0
    box = common_box([one.found.box, other.found.box])
    start = [-side.start for side in box]

    def whole(found: FoundAneurysm) -> np.ndarray:
        mask = np.zeros([side.stop - side.start for side in box], dtype=bool)
        mask[moved(found.box, start)] = found.labels.array > 0
        return mask

    masks = whole(one.found), whole(other.found)
    return float((masks[0] & masks[1]).sum() / min(mask.sum() for mask in masks))


def _distance_mm(result: ClickResult, point: Point) -> float:
    """How far a point is from an answer, or from its click where nothing was found."""
    if result.found is None:
        return float(np.linalg.norm(np.subtract(result.clicks.inside[0], point)))
    voxels = np.argwhere(result.found.labels.array)[:, ::-1]
    places = result.found.labels.geometry.index_to_world(voxels)
    return float(np.linalg.norm(places - point, axis=1).min())
