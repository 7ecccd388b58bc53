"""The rules of a click on probabilities that are typed in: the image is the aneurysm's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from gsema_core.grids import Geometry, Volume
from gsema_core.inference.click.click_labels import MARGIN_MM, restore
from gsema_core.inference.click.click_result import FoundAneurysm, click_result, merge
from gsema_core.inference.click.finding import (
    Finding,
    highest_probability,
    look_around,
    nearest_candidate,
    probability_at,
)
from gsema_core.inference.click.outline import LEAST_PEAK, REACH_MM
from gsema_core.inference.click.points import Clicks
from gsema_core.intensities.prepared_scan import PreparedScan
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL
from gsema_core.measurements import measure_aneurysms

GRID = Geometry((48, 48, 48), (0.5, 0.5, 0.5))
WINDOW = (32, 32, 32)
CLICK = (12.0, 12.0, 12.0)
"""Voxel (24, 24, 24)."""


def as_it_is(image: Any, *clicks: Any) -> Any:
    """The network: the image is the probability of an aneurysm, the rest of a vessel by half."""
    rest = (1 - image) / 2
    return np.stack([rest, image])


def scan_of(probability: Any, geometry: Geometry = GRID, original: Geometry = GRID) -> PreparedScan:
    """The scan's own voxels are empty: these rules are about probabilities."""
    empty = Volume(np.zeros(original.shape, np.uint8), original)
    return PreparedScan(empty, Volume(probability.astype(np.float32), geometry), (0.0, 1.0))


def box(value: float, k: Any = 24, j: Any = 24, i: Any = 24, size: int = 6) -> Any:
    """A cube of one probability; its first voxel at (k, j, i)."""
    array = np.zeros(GRID.shape)
    array[k : k + size, j : j + size, i : i + size] = value
    return array


def found(probability: Any, point: Any = CLICK, threshold: float | None = None) -> Finding:
    return look_around(scan_of(probability), Clicks((point,)), WINDOW, as_it_is, threshold)


def mask_of(finding: Finding) -> Any:
    """The component on the working grid."""
    mask = np.zeros(GRID.shape, dtype=bool)
    if finding.outline.component is not None:
        mask[finding.field.box] = finding.outline.component
    return mask


@pytest.mark.parametrize("peak", [1.0, 0.6, 0.3])
def test_the_outline_is_at_half_the_peak(peak: float) -> None:
    probability = box(peak) + box(peak * 0.55, i=30) + box(peak * 0.45, i=18)
    finding = found(probability)
    assert finding.outline.threshold == pytest.approx(peak / 2)
    np.testing.assert_array_equal(mask_of(finding), probability >= peak / 2)
    assert mask_of(finding).sum() == 2 * 6**3


def test_a_sac_that_the_whole_scans_rule_would_miss_is_found() -> None:
    probability = box(0.3)
    classes = as_it_is(probability)
    assert (classes.argmax(axis=0) != ANEURYSM).all()
    assert mask_of(found(probability)).sum() == 6**3


def test_below_the_least_peak_nothing_is_there() -> None:
    assert found(box(LEAST_PEAK + 0.001)).outline.component is not None
    finding = found(box(LEAST_PEAK - 0.001))
    assert finding.outline.component is None
    assert finding.outline.threshold == LEAST_PEAK
    assert finding.windows == 1


def test_a_threshold_set_by_the_user_takes_the_place_of_both() -> None:
    probability = box(0.9) + box(0.6, i=30) + box(0.15, i=18)
    assert mask_of(found(probability, threshold=0.7)).sum() == 6**3
    assert mask_of(found(probability, threshold=0.55)).sum() == 2 * 6**3
    assert mask_of(found(probability, threshold=0.1)).sum() == 3 * 6**3
    nothing = found(box(0.6), threshold=0.7)
    assert nothing.outline.component is None
    assert nothing.outline.threshold == 0.7


@pytest.mark.parametrize(("steps", "there"), [(5, True), (6, True), (7, False), (12, False)])
def test_the_reach(steps: int, there: bool) -> None:
    assert REACH_MM == 3.0
    finding = found(box(1.0, i=24 + steps))  # voxels of 0.5 mm
    assert (finding.outline.component is not None) is there


def test_the_nearest_is_taken_not_the_likeliest() -> None:
    probability = box(0.7, i=27) + box(1.0, i=14)  # 1.5 mm and 2.5 mm off
    np.testing.assert_array_equal(mask_of(found(probability)), probability == 0.7)


def test_touching_by_a_corner_is_connected() -> None:
    probability = box(1.0) + box(1.0, 30, 30, 30)
    assert mask_of(found(probability)).sum() == 2 * 6**3


def test_the_peak_beyond_reach_does_not_decide() -> None:
    """A weak sac connected to something far off that the network is sure of."""
    probability = box(0.4) + box(0.4, i=30) + box(1.0, i=36)
    finding = found(probability)
    assert finding.outline.threshold == pytest.approx(0.2)
    assert mask_of(finding).sum() == 3 * 6**3


def test_the_probability_at_the_click_is_linear_between_voxels() -> None:
    probability = box(0.8)
    working = GRID
    assert probability_at(found(probability).field, working, (13.0,) * 3) == pytest.approx(0.8)
    point = (11.75, 13.0, 13.0)  # between voxels 23 and 24
    assert probability_at(found(probability, point).field, working, point) == pytest.approx(0.4)


def test_the_highest_probability_is_told_with_its_place() -> None:
    probability = box(0.1) + box(0.4, 12, 24, 24, size=1)
    finding = found(probability)
    assert finding.outline.component is None
    value, place = highest_probability(finding.field, GRID)
    assert value == pytest.approx(0.4)
    np.testing.assert_allclose(place, (12.0, 12.0, 6.0))


def test_the_nearest_candidate_counts_and_not_the_likeliest() -> None:
    """Each by the place of its own highest probability; what is below the threshold is none."""
    near, far = box(0.5, 24, 24, 36, size=3), box(1.0, 10, 24, 24, size=3)
    near[25, 25, 37] = 0.6
    finding = found(near + far + box(0.19, 24, 24, 31, size=2))
    assert finding.outline.component is None
    candidate = nearest_candidate(finding, GRID, CLICK)
    assert candidate is not None
    assert candidate.lps == (18.5, 12.5, 12.5)
    assert candidate.probability == pytest.approx(0.6)
    assert candidate.distance_mm == pytest.approx(np.hypot(6.5, np.hypot(0.5, 0.5)))
    assert nearest_candidate(found(box(0.19, 24, 24, 36)), GRID, CLICK) is None


ORIGINALS = {
    "the same": GRID,
    "finer": Geometry((160, 160, 160), (0.15, 0.15, 0.15), (-0.175,) * 3),
    "coarser": Geometry((20, 20, 20), (1.2, 1.2, 1.2), (0.35,) * 3),
    "flipped, permuted": Geometry(
        (60, 40, 48), (0.4, 0.6, 0.5), (23.7, -0.2, 23.8), (0, 0, -1, 1, 0, 0, 0, -1, 0)
    ),
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_the_outline_between_voxels_is_kept_on_the_scans_own_grid(
    distance_to: Any, name: str
) -> None:
    """The probability falls by 0.2 a mm: 0.5 at 3.3 mm from the middle, to within the voxels."""
    original = ORIGINALS[name]
    middle = (12.1, 11.8, 12.3)
    scan = scan_of(np.clip(1.16 - 0.2 * distance_to(GRID, middle), 0, 1), original=original)
    labels = restore(look_around(scan, Clicks((middle,)), WINDOW, as_it_is, 0.5), scan)
    assert labels is not None
    result = FoundAneurysm.of(labels.labels, labels.box)
    expected = distance_to(original, middle) < 3.3
    mask = np.zeros(original.shape, dtype=bool)
    mask[result.box] = result.labels.array == ANEURYSM
    differing = distance_to(original, middle)[mask != expected]
    assert np.abs(differing - 3.3).max(initial=0) < 0.1  # 0.2 of a working voxel
    np.testing.assert_allclose(result.measurements.centroid_lps, middle, atol=0.15)


def test_a_neighbor_in_the_same_box_is_left_out() -> None:
    """An L around a cube, one voxel of gap between them."""
    shape = box(1.0, 20, 20, 20, size=10)
    shape[20:30, 22:30, 22:30] = 0
    shape[20:30, 23:30, 23:30] = 0.9
    scan = scan_of(shape)
    for point, value in (((10.5, 10.5, 12.0), 1.0), ((13.0, 13.0, 12.0), np.float32(0.9))):
        finding = look_around(scan, Clicks((point,)), WINDOW, as_it_is)
        restored = restore(finding, scan)
        assert restored is not None
        labels, where, _ = restored
        expected = scan.working.array[where] == value
        np.testing.assert_array_equal(labels.array == ANEURYSM, expected)


def test_what_lies_between_the_scans_voxels_is_not_there() -> None:
    coarse = Geometry((8, 8, 8), (3.0, 3.0, 3.0), (1.25,) * 3)  # centers beside 12
    scan = scan_of(box(1.0, size=1), original=coarse)
    finding = look_around(scan, Clicks((CLICK,)), WINDOW, as_it_is)
    assert mask_of(finding).sum() == 1
    assert restore(finding, scan) is None
    result = click_result(finding, scan, None, {})
    assert result.found is None
    assert result.message.startswith("There is no aneurysm at R -12.0, A -12.0, S 12.0 mm")


@pytest.mark.parametrize("off_mm", [-0.4, 0.4])
def test_walls_are_drawn_by_the_scan_where_asked(distance_to: Any, off_mm: float) -> None:
    """The network sees the wall of a blurred sac of 3.3 mm too near or too far."""
    middle = (12.1, 11.8, 12.3)
    distance = distance_to(GRID, middle)
    image = ndimage.gaussian_filter((distance < 3.3).astype(np.float32), 1.2) * 0.8 + 0.1
    share = np.clip(0.5 - (distance - 3.3 - off_mm), 0, 1).astype(np.float32)
    scan = PreparedScan(Volume(1000 * image, GRID), Volume(image, GRID), (0.0, 1000.0))
    shares = np.stack([0 * share, share])
    finding = look_around(scan, Clicks((middle,)), GRID.shape, lambda *window: shares)

    def voxels(walls: bool, vessels: bool) -> int:
        restored = restore(finding, scan, vessels, walls)
        assert restored is not None
        return int((restored[0].array == ANEURYSM).sum())

    true, by_network = int((distance < 3.3).sum()), voxels(False, True)
    assert abs(voxels(True, True) - true) < 0.85 * abs(by_network - true)
    assert voxels(True, False) == voxels(True, True)


def vessel_beside(image: Any, *clicks: Any) -> Any:
    """The network: 1 is an aneurysm, 0.5 a vessel."""
    aneurysm, vessel = (image == 1).astype(np.float32), (image == 0.5).astype(np.float32)
    return np.stack([vessel, aneurysm])


def test_vessels_around_are_restored_for_measuring(distance_to: Any) -> None:
    """The values are those of the same label map measured whole."""
    grid = Geometry((80, 80, 80), (0.5, 0.5, 0.5))
    truth = np.where(distance_to(grid, (20.0, 20.0, 20.0), axis=2) < 2.0, 0.5, 0.0)
    truth[distance_to(grid, (23.5, 20.0, 20.0)) < 3.0] = 1.0
    scan = scan_of(truth, grid, grid)
    finding = look_around(scan, Clicks(((23.5, 20.0, 20.0),)), (64, 64, 64), vessel_beside)
    restored = restore(finding, scan)
    assert restored is not None
    labels, where, _ = restored
    lookup = {0.0: BACKGROUND, 0.5: VESSEL, 1.0: ANEURYSM}
    expected = np.vectorize(lookup.get)(truth)
    np.testing.assert_array_equal(labels.array, expected[where])
    margin = MARGIN_MM / 0.5
    sac = np.argwhere(expected == ANEURYSM)
    assert [side.start for side in where] == [n - margin for n in sac.min(axis=0)]
    measured = FoundAneurysm.of(labels, where).measurements
    whole = measure_aneurysms(Volume(expected.astype(np.uint8), grid))[0]
    assert whole.neck_width_mm is not None
    for name in ("volume_ml", "largest_diameter_mm", "neck_width_mm", "height_mm", "sphericity",
                 "centroid_lps", "centroid_ijk", "parent_vessel_diameter_mm"):  # fmt: skip
        assert getattr(measured, name) == pytest.approx(getattr(whole, name), rel=0.02), name
    alone = restore(finding, scan, vessels=False)
    assert alone is not None
    only = FoundAneurysm.of(alone.labels, alone.box)
    thorough = FoundAneurysm.of(labels, where)
    assert only.box == thorough.box
    np.testing.assert_array_equal(only.labels.array, thorough.labels.array)
    assert only.measurements.volume_ml == measured.volume_ml
    assert only.measurements.centroid_ijk == measured.centroid_ijk
    assert only.measurements.neck_width_mm is None


def results_at(scan: PreparedScan, *points: Any) -> list[Any]:
    results = []
    for point in points:
        finding = look_around(scan, Clicks((point,)), WINDOW, as_it_is)
        restored = restore(finding, scan)
        one = None if restored is None else FoundAneurysm.of(restored.labels, restored.box)
        results.append(click_result(finding, scan, one, {}))
    return results


def test_several_clicks_become_one_label_map() -> None:
    probability = box(1.0, size=4) + box(1.0, 10, 10, 10, size=7)
    scan = scan_of(probability)
    again = (12.5, 12.5, 12.5)
    labels, numbers, aneurysms = merge(results_at(scan, CLICK, again, (0.0,) * 3, (6.0,) * 3))
    np.testing.assert_array_equal(labels.array == ANEURYSM, probability == 1)
    assert [(numbers == n).sum() for n in (0, 1, 2)] == [
        labels.array.size - 7**3 - 4**3,
        7**3,
        4**3,
    ]
    assert labels.geometry == GRID
    assert [(one.index, one.voxels) for one in aneurysms] == [(1, 7**3), (2, 4**3)]
    np.testing.assert_allclose(aneurysms[0].centroid_ijk, (13.0,) * 3)


def test_clicks_that_found_nothing_are_each_named() -> None:
    with pytest.raises(ValueError, match=r"R 0\.0.*R -23\.5"):
        merge(results_at(scan_of(box(1.0)), (0.0,) * 3, (23.5,) * 3))
