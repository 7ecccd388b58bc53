"""The outline that the clicks on one aneurysm draw in a field of probabilities.

1. Around each click inside, the highest probability of an aneurysm within ``REACH_MM`` is its
   peak. Below ``LEAST_PEAK`` it finds nothing.
2. It finds where the probability is at least half the peak, connected to the voxel of that kind
   which is nearest to the click. Of a sac that the network is sure of (peak 1) this is its usual
   outline at 0.5, the border between two classes; of one that it doubts it is the outline
   at half height, as one measures the width of any blurred thing, where the rule for a whole scan
   leaves shreds or nothing. Our choice.
3. Several clicks find the union. Where one with a lower peak finds what another has found, too, it
   counts only where it is the nearest click: what the network doubts at one end must not widen
   the outline at the other.
4. What clicks outside hang on is cut off (``click.cutting``).

A threshold set by the user takes the place of the peak's half and of ``LEAST_PEAK``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids.axis_interpolation import Floats
from gsema_core.grids.components import connected_components
from gsema_core.inference.click.cutting import cut_off
from gsema_core.inference.click.points import Places

REACH_MM = 3.0
"""How far beside an aneurysm one may click. Ours: half the width of one of 6 mm."""

LEAST_PEAK = 0.2
"""A network that finds nothing more likely than this within reach finds nothing. Ours."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outline:
    """What clicks on one aneurysm draw.

    Attributes:
        component: (k, j, i) its voxels; None where nothing is there.
        sac: (k, j, i) values that reach ``threshold`` in the component and nowhere else: the
            probability of an aneurysm, scaled where a click has a lower peak than another.
        threshold: the least value in the component, or which would have been needed.
        peak: the highest probability within reach of a click inside.
        cut: (k, j, i) what was cut off for the clicks outside; None if nothing was.
    """

    component: Mask | None
    sac: Floats
    threshold: float
    peak: float
    cut: Mask | None = None


def draw_outline(
    aneurysm: Floats,
    inside: Places,
    outside: Places,
    spacing_mm: float,
    threshold: float | None = None,
    *,
    anyway: bool = False,
) -> Outline:
    """Draw the outline by rules 1 to 4 above.

    Args:
        aneurysm: (k, j, i) the probability of an aneurysm.
        inside: (n, 3) voxel positions k, j, i of clicks in the aneurysm, at least one.
        outside: (m, 3) of clicks on what is not part of it.
        spacing_mm: of the grid.
        threshold: set by the user; None for half the peaks.
        anyway: draw what is likeliest at half its peak, too, where no click finds anything.
    """
    needed = LEAST_PEAK if threshold is None else threshold
    peaks = [_peak(aneurysm, place, REACH_MM / spacing_mm) for place in inside]
    highest = max(value for value, _, _ in peaks)
    drawn = []
    for place, (value, nodes, values) in zip(inside, peaks, strict=True):
        if value >= needed or (anyway and value == highest > 0):
            level = value / 2 if threshold is None or value < threshold else threshold
            away = np.where(values >= level, np.linalg.norm(nodes - place, axis=1), np.inf)
            components, _ = connected_components(aneurysm >= level)
            found = components == components[tuple(nodes[away.argmin()])]
            drawn.append((level, found, place))
    if not drawn:
        return Outline(None, np.zeros_like(aneurysm), needed, highest)
    outline = _united(drawn, aneurysm, inside, highest)
    return _without(outline, aneurysm, inside, outside)


def value_at(values: Floats, place: npt.ArrayLike) -> float:
    """The value at a position k, j, i, linear between the voxels."""
    at = np.asarray(place, dtype=np.float64)[:, None]
    return float(ndimage.map_coordinates(values, at, order=1, mode="nearest")[0])


def near(shape: tuple[int, ...], place: Places, reach: float) -> npt.NDArray[np.int64]:
    """(n, 3) the voxels k, j, i of an array whose centers lie within reach of a position."""
    first = np.maximum(np.ceil(place - reach), 0).astype(int)
    last = np.minimum(np.floor(place + reach), np.array(shape) - 1).astype(int)
    nodes = np.argwhere(np.ones(last - first + 1, dtype=bool)) + first
    return np.asarray(nodes[np.linalg.norm(nodes - place, axis=1) <= reach])


def _peak(
    aneurysm: Floats, place: Places, reach: float
) -> tuple[float, npt.NDArray[np.int64], Floats]:
    """The highest value within reach of a position, the voxels there, and their values."""
    nodes = near(aneurysm.shape, place, reach)
    values = aneurysm[tuple(nodes.T)]
    return float(values.max()), nodes, values


def _united(
    drawn: Sequence[tuple[float, Mask, Places]], aneurysm: Floats, inside: Places, peak: float
) -> Outline:
    """The union of what clicks have found: (level, component, place) of each."""
    highest = max(level for level, _, _ in drawn)
    component, sac = np.zeros(aneurysm.shape, dtype=bool), np.zeros_like(aneurysm)
    for level, found, place in sorted(drawn, key=lambda one: -one[0]):
        if level == highest:
            values = np.where(~found & (aneurysm >= level), np.float32(0), aneurysm)
        else:
            if (found & component).any():
                found = found & _nearest_to(place, inside, aneurysm.shape)
            values = np.where(found, aneurysm * np.float32(highest / level), np.float32(0))
            values[found] = np.maximum(values[found], np.float32(highest))  # whatever was rounded
        component |= found
        np.maximum(sac, values, out=sac)
    return Outline(component, sac, highest, peak)


def _nearest_to(place: Places, inside: Places, shape: tuple[int, ...]) -> Mask:
    """The voxels to which no other click inside is nearer than this one."""
    voxels = np.indices(shape, dtype=np.float32)

    def away(point: Places) -> Floats:
        return np.asarray(((voxels - point[:, None, None, None]) ** 2).sum(axis=0))

    own = away(place)
    return np.asarray(np.all([own <= away(other) for other in inside], axis=0))


def _without(outline: Outline, aneurysm: Floats, inside: Places, outside: Places) -> Outline:
    """An outline without what the clicks outside hang on."""
    held = [place for place in outside if value_at(outline.sac, place) >= outline.threshold]
    if not held:
        return outline
    assert outline.component is not None
    kept = cut_off(outline.component, aneurysm, inside, np.array(held))
    cut = outline.component & ~kept
    return replace(outline, component=kept, sac=np.where(cut, np.float32(0), outline.sac), cut=cut)
