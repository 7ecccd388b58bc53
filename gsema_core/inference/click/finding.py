"""From clicks to the aneurysm under them: a few windows instead of the whole scan.

A click tells what the network cannot know: there is something here. So the rule differs from that
for a whole scan, where a voxel is aneurysm if no other class is likelier:

1. One window is run that has all clicks on one aneurysm, around the first or, where the others are
   far from it, around all; more where they do not fit into one. A network that knows clicks is
   shown those in each window.
2. ``click.outline`` draws the aneurysm in what was seen.
3. Where it reaches the end of what was seen, the next window is centered there, at most
   ``MAXIMUM_WINDOWS`` in all.
4. A network that knows clicks answers a click on contrast agent in any case, if need be with the
   likeliest outline and a note. Where it sees no vessel, or the scan is dark, it says so.

Vessels do not matter, nor do the smallest sizes that count in a whole scan: both guard against
noise that nobody pointed at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.grids.components import connected_components
from gsema_core.inference.click.field import Field, Mask, Predict, Surroundings, window_centers
from gsema_core.inference.click.outline import REACH_MM, Outline, draw_outline, near, value_at
from gsema_core.inference.click.points import Clicks, Places, Point, describe
from gsema_core.inference.windows.window_plan import Size
from gsema_core.intensities.prepared_scan import PreparedScan

MAXIMUM_WINDOWS = 8
"""Ours: a giant sac that is clicked at one end of its diagonal reaches over the faces, edges and
corner of that octant. More would be a vessel tree, not an aneurysm. Clicks that are farther apart
than that have their windows."""

ON_LUMEN_MM = 1.0
"""A click is on the lumen if the network sees lumen this near: two voxels of the bundled teacher,
as one may hit the wall. Ours."""

DARK = 0.25
"""The scan is dark where nothing within reach of a click rises above its background by this share
of its contrast. Within 2 mm of the sacs of 6 simulated test scans it rises by 0.44 or more; of what
lies 6 mm and more from vessels, 59 % to all of it is dark. Ours."""

BACKGROUND_VOXELS = 100_000
"""The background is the median of so many voxels from all over the scan. Ours."""

DOUBT = 0.5
"""With a lower peak a network that knows clicks does not believe in an aneurysm, though it was
told of one. Ours."""


@dataclass(frozen=True, eq=False)
class Finding:
    """What is around the clicks on one aneurysm, on the working grid.

    Attributes:
        clicks: where they were.
        field: the probability where windows have looked.
        outline: the aneurysm in it.
        windows: how many have been run.
        complete: False where the outline reaches beyond what the windows have seen.
        obeys: whether the answer has to hold the clicks inside and none of those outside; False
            where a single click looks up what a network without clicks says.
        beside: whether the first click lies beside the lumen, and means the nearest aneurysm.
        notes: what the user should know, one sentence each.
    """

    clicks: Clicks
    field: Field
    outline: Outline
    windows: int
    complete: bool
    obeys: bool = False
    beside: bool = False
    notes: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[Point, ...]:
        """The clicks inside that an answer which obeys has to hold."""
        return self.clicks.inside[1 if self.beside else 0 :]

    @property
    def certainty(self) -> float | None:
        """The mean probability of an aneurysm in the outline; None where there is none."""
        component = self.outline.component
        return None if component is None else float(self.field.aneurysm[component].mean())


def look_around(
    scan: PreparedScan,
    clicks: Clicks,
    window: Size,
    predict: Predict,
    threshold: float | None = None,
    *,
    knows_clicks: bool = False,
) -> Finding:
    """Find the aneurysm under some clicks by the rules above.

    Args:
        scan: where to look.
        clicks: on one aneurysm, inside the scan.
        window: size (k, j, i) of the network's windows.
        predict: runs the network on one window.
        threshold: set by the user; None for half the peak.
        knows_clicks: whether ``predict`` looks at the clicks.
    """
    working = scan.working.geometry
    inside, outside = (_voxels(points, working) for points in (clicks.inside, clicks.outside))
    surroundings = Surroundings(scan.working.array, window, predict, inside, outside)
    for center in window_centers(inside, outside, window):
        surroundings.look_at(center)
    field = surroundings.field()
    dark = knows_clicks and _is_dark(scan, inside[0])
    anyway = knows_clicks and not dark and _sees_lumen(field, inside[0], working.spacing[0])
    while True:
        places = inside - field.start_kji, outside - field.start_kji
        outline = draw_outline(
            field.aneurysm, *places, working.spacing[0], threshold, anyway=anyway
        )
        if dark or outline.component is None:
            why = (_DARK.format(describe(clicks.inside[0])),) if dark else ()
            nothing = Outline(None, outline.sac, outline.threshold, outline.peak)
            return Finding(clicks, field, nothing, surroundings.windows, True, notes=why)
        frontier = surroundings.frontier(field, outline.component)
        complete = not frontier.any()
        if complete or surroundings.windows >= MAXIMUM_WINDOWS:
            break
        surroundings.look_at(field.start_kji + _middle(frontier))
        field = surroundings.field()
    several = len(inside) + len(outside) > 1
    lumen = value_at(field.vessel + field.aneurysm, places[0][0])
    finding = Finding(
        clicks, field, outline, surroundings.windows, complete, knows_clicks or several, lumen < 0.5
    )
    return replace(finding, notes=_notes(finding, knows_clicks, working))


def probability_at(field: Field, working: Geometry, point_lps: Point) -> float:
    """The probability at a point, linear between the voxels."""
    return value_at(field.aneurysm, working.world_to_index(point_lps)[::-1] - field.start_kji)


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
    elsewhere = field.aneurysm >= finding.outline.threshold
    if finding.outline.component is not None:  # too small to be anything on the scan's own grid
        elsewhere &= ~finding.outline.component
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


_DARK = "There is no contrast agent within reach of {}."


def _notes(finding: Finding, knows_clicks: bool, working: Geometry) -> tuple[str, ...]:
    """What a user should know of an outline."""
    outline, notes = finding.outline, []
    if knows_clicks and outline.peak < DOUBT:
        place = describe(finding.clicks.inside[0])
        notes.append(
            f"The model doubts that there is an aneurysm at {place}: the "
            f"highest probability near it is {outline.peak:.2f}. This is the likeliest outline."
        )
    if outline.cut is not None:
        volume = int(outline.cut.sum()) * working.voxel_volume_mm3
        notes.append(
            "The model took a point marked as not aneurysm for a part of it: the outline was cut "
            f"where that changes least, {volume:.1f} mm³ less."
        )
    return tuple(notes)


def _voxels(points: Sequence[Point], working: Geometry) -> Places:
    """(n, 3) positions k, j, i on the working grid."""
    places = [working.world_to_index(point)[::-1] for point in points]
    return np.array(places, dtype=np.float64).reshape(-1, 3)


def _is_dark(scan: PreparedScan, place: Places) -> bool:
    """Whether nothing within reach of a position is brighter than the scan's background."""
    if scan.appearance is None:
        return False
    image = scan.working.array
    nodes = near(image.shape, place, REACH_MM / scan.working.geometry.spacing[0])
    background = float(np.median(image.reshape(-1)[:: max(1, image.size // BACKGROUND_VOXELS)]))
    return bool(image[tuple(nodes.T)].max() < background + DARK * scan.appearance.contrast)


def _sees_lumen(field: Field, place: Places, spacing_mm: float) -> bool:
    """Whether the network sees vessel or aneurysm at a position of the working grid."""
    nodes = near(field.seen.shape, place - field.start_kji, ON_LUMEN_MM / spacing_mm)
    return bool((field.vessel + field.aneurysm)[tuple(nodes.T)].max() >= 0.5)


def _middle(frontier: Mask) -> npt.NDArray[np.int64]:
    """The middle voxel of the frontier's largest piece.

    It is a voxel of the frontier itself, so a window around it sees something new.
    """
    pieces, _ = connected_components(frontier)
    voxels = np.argwhere(pieces == 1 + np.bincount(pieces.reshape(-1))[1:].argmax())
    offsets = np.linalg.norm(voxels - voxels.mean(axis=0), axis=1)
    return np.asarray(voxels[offsets.argmin()])
