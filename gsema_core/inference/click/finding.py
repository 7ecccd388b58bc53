"""From a click to the aneurysm under it: a few windows instead of the whole scan.

The click tells what the network cannot know: there is something here. So the rule differs from
that for a whole scan, where a voxel is aneurysm if no other class is likelier:

1. One window is run, centered on the click. The highest probability of an aneurysm within
   ``REACH_MM`` of the click is the peak. Below ``LEAST_PEAK`` nothing is there.
2. The aneurysm is where the probability is at least half the peak, connected to the voxel of
   that kind which is nearest to the click. Of a sac that the network is sure of (peak 1) this is
   its usual outline at 0.5, the border between two classes; of one that it doubts it is
   the outline at half height, as one measures the width of any blurred thing, where the
   rule for a whole scan leaves shreds or nothing. Our choice.
3. Where it reaches the end of what was seen, the next window is centered there, at most
   ``MAXIMUM_WINDOWS`` in all.

A threshold set by the user takes the place of the peak's half and of ``LEAST_PEAK``. Vessels do
not matter, nor do the smallest sizes that count in a whole scan: both guard against noise that
nobody pointed at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.grids.components import connected_components
from gsema_core.inference.click.field import Field, Mask, Predict, Surroundings
from gsema_core.inference.click.points import Point
from gsema_core.inference.windows.window_plan import Size
from gsema_core.intensities.prepared_scan import PreparedScan

REACH_MM = 3.0
"""How far beside an aneurysm one may click. Ours: half the width of one of 6 mm."""

LEAST_PEAK = 0.2
"""A network that finds nothing more likely than this within reach finds nothing. Ours."""

MAXIMUM_WINDOWS = 8
"""Ours: a giant sac that is clicked at one end of its diagonal reaches over the faces, edges and
corner of that octant. More would be a vessel tree, not an aneurysm."""


@dataclass(frozen=True, eq=False)
class Finding:
    """What is around a click, on the working grid.

    Attributes:
        field: the probability where windows have looked.
        component: the aneurysm's voxels in the field; None where nothing is there.
        threshold: the least probability in the component, or which would have been needed.
        windows: how many have been run.
        complete: False where the component reaches beyond what the windows have seen.
    """

    field: Field
    component: Mask | None
    threshold: float
    windows: int
    complete: bool


def look_around(
    scan: PreparedScan,
    point_lps: Point,
    window: Size,
    predict: Predict,
    threshold: float | None = None,
) -> Finding:
    """Find the aneurysm at a point by rules 1 to 3 above.

    Args:
        scan: where to look.
        point_lps: mm, inside the scan.
        window: size (k, j, i) of the network's windows.
        predict: runs the network on one window.
        threshold: set by the user; None for half the peak.
    """
    click = scan.working.geometry.world_to_index(point_lps)[::-1]
    surroundings = Surroundings(scan.working.array, window, predict)
    surroundings.look_at(click)
    while True:
        field = surroundings.field()
        component, level = _component(field, click, scan.working.geometry.spacing[0], threshold)
        if component is None:
            return Finding(field, None, level, surroundings.windows, True)
        frontier = surroundings.frontier(field, component)
        complete = not frontier.any()
        if complete or surroundings.windows == MAXIMUM_WINDOWS:
            return Finding(field, component, level, surroundings.windows, complete)
        surroundings.look_at(field.start_kji + _middle(frontier))


def probability_at(field: Field, working: Geometry, point_lps: Point) -> float:
    """The probability at a point, linear between the voxels."""
    place = working.world_to_index(point_lps)[::-1] - field.start_kji
    return float(
        ndimage.map_coordinates(field.aneurysm, place[:, None], order=1, mode="nearest")[0]
    )


def highest_probability(field: Field, working: Geometry) -> tuple[float, Point]:
    """The highest probability in a field, and where it is in mm (LPS)."""
    place = np.unravel_index(int(field.aneurysm.argmax()), field.aneurysm.shape)
    x, y, z = working.index_to_world((field.start_kji + place)[::-1])
    return float(field.aneurysm[place]), (float(x), float(y), float(z))


@dataclass(frozen=True)
class Candidate:
    """Where a click would have found something.

    Attributes:
        lps: the place of the highest probability of a piece that reaches the threshold, mm (LPS).
        probability: that one.
        distance_mm: from the click.
    """

    lps: Point
    probability: float
    distance_mm: float


def nearest_candidate(finding: Finding, working: Geometry, point_lps: Point) -> Candidate | None:
    """The candidate nearest to a click that found nothing; None where the windows saw none."""
    field = finding.field
    elsewhere = field.aneurysm >= finding.threshold
    if finding.component is not None:  # it is too small to be anything on the scan's own grid
        elsewhere &= ~finding.component
    pieces, count = connected_components(elsewhere)
    if count == 0:
        return None
    peaks = ndimage.maximum_position(field.aneurysm, pieces, np.arange(1, count + 1))
    kji = np.array(peaks, dtype=int)
    places = working.index_to_world((field.start_kji + kji)[:, ::-1])
    distances = np.linalg.norm(places - np.asarray(point_lps), axis=1)
    nearest = int(distances.argmin())
    x, y, z = (float(value) for value in places[nearest])
    probability = float(field.aneurysm[tuple(kji[nearest])])
    return Candidate((x, y, z), probability, float(distances[nearest]))


def _component(
    field: Field, click_kji: npt.NDArray[np.float64], spacing_mm: float, threshold: float | None
) -> tuple[Mask | None, float]:
    """The component nearest to the click, and the threshold that it is cut at."""
    place = click_kji - field.start_kji
    reach = REACH_MM / spacing_mm
    first = np.maximum(np.ceil(place - reach), 0).astype(int)
    last = np.minimum(np.floor(place + reach), np.array(field.seen.shape) - 1).astype(int)
    nodes = np.argwhere(np.ones(last - first + 1, dtype=bool)) + first
    distances = np.linalg.norm(nodes - place, axis=1)
    nodes, distances = nodes[distances <= reach], distances[distances <= reach]
    values = field.aneurysm[tuple(nodes.T)]
    peak = float(values.max())
    if peak < (LEAST_PEAK if threshold is None else threshold):
        return None, LEAST_PEAK if threshold is None else threshold
    level = peak / 2 if threshold is None else threshold
    nearest = nodes[np.where(values >= level, distances, np.inf).argmin()]
    components, _ = connected_components(field.aneurysm >= level)
    return components == components[tuple(nearest)], level


def _middle(frontier: Mask) -> npt.NDArray[np.int64]:
    """The middle voxel of the frontier's largest piece.

    It is a voxel of the frontier itself, so a window around it sees something new.
    """
    pieces, _ = connected_components(frontier)
    voxels = np.argwhere(pieces == 1 + np.bincount(pieces.reshape(-1))[1:].argmax())
    offsets = np.linalg.norm(voxels - voxels.mean(axis=0), axis=1)
    return np.asarray(voxels[offsets.argmin()])
