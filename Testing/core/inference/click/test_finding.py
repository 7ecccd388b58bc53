"""Clicks, from the point to the label map, with a teacher that sees brightness."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gsema_core.errors import Cancelled, UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.inference import ClickResult, Monitor, PreparedScan, SegmentationSettings, Segmenter
from gsema_core.inference.click.finding import MAXIMUM_WINDOWS
from gsema_core.labels import ANEURYSM
from gsema_core.networks import build_network
from gsema_core.networks.click_layers import with_click_weights

GRID = Geometry((56, 60, 50), (0.8, 0.8, 0.8), (-22.0, 7.0, 40.0))
ONE = SegmentationSettings(threads=1)
ONE_HALF = SegmentationSettings(threads=1, aneurysm_threshold=0.5)

Click = Callable[..., ClickResult]


@pytest.fixture(scope="module")
def click(segmenter: Segmenter) -> Click:
    """Click so many mm (LPS) off the middle of a scan."""

    def at(
        scan: Volume | PreparedScan, *offset: float, settings: SegmentationSettings = ONE
    ) -> ClickResult:
        point = np.add(scan.geometry.center, offset)
        return segmenter.segment_at_points(scan, [point], (), settings)

    return at


def whole(result: ClickResult) -> Any:
    """The aneurysm on the scan's own grid."""
    mask = np.zeros(result.geometry.shape, dtype=bool)
    if result.found is not None:
        mask[result.found.box] = result.found.labels.array == ANEURYSM
    return mask


@pytest.fixture(scope="module")
def scan_of_two(scan_with: Any) -> Volume:
    """A small sac and a larger one, 16 mm from it."""
    scan: Volume = scan_with(GRID, ((-6.0, 0.0, 0.0), 4.0), ((10.0, 0.0, 0.0), 5.0))
    return scan


def test_a_click_on_a_sac(click: Click, scan_of_two: Volume, windows_run: Any) -> None:
    result = click(scan_of_two, -6.0, 0.0, 0.0)
    assert windows_run == [(1, 1, 32, 32, 32)]
    assert result.windows == 1
    assert result.complete
    assert result.message == ""
    assert result.probability > 0.99
    assert result.threshold == pytest.approx(result.highest_probability / 2, abs=0.01)
    assert result.found is not None
    aneurysm = result.found.measurements
    middle = np.add(GRID.center, [-6.0, 0.0, 0.0])
    assert np.linalg.norm(np.subtract(aneurysm.centroid_lps, middle)) < 0.2
    assert aneurysm.volume_ml == pytest.approx(4 / 3 * np.pi * 0.4**3, rel=0.1)
    assert not aneurysm.cut_off
    assert set(result.report) == {
        "program", "teacher", "device", "settings", "geometry", "notes", "seconds"
    }  # fmt: skip


def test_the_label_map_is_the_smallest_box(click: Click, scan_of_two: Volume) -> None:
    found = click(scan_of_two, -6.0, 0.0, 0.0).found
    assert found is not None
    labels = found.labels
    assert labels.array.dtype == np.uint8
    assert set(np.unique(labels.array)) == {0, ANEURYSM}
    assert max(labels.array.shape) < 13  # of 8 mm
    for axis in range(3):
        ends = np.moveaxis(labels.array, axis, 0)[[0, -1]]
        assert ends.any(axis=(1, 2)).all()
    k, j, i = (side.start for side in found.box)
    np.testing.assert_allclose(labels.geometry.origin, GRID.index_to_world((i, j, k)))
    in_box = labels.geometry.world_to_index(found.measurements.centroid_lps)
    np.testing.assert_allclose(found.measurements.centroid_ijk, np.add(in_box, (i, j, k)))


def test_the_clicked_one_of_two_is_taken(click: Click, scan_of_two: Volume) -> None:
    for offset in (-6.0, 10.0):
        result = click(scan_of_two, offset, 0.0, 0.0)
        assert result.found is not None
        off = np.subtract(result.found.measurements.centroid_lps, GRID.center)
        np.testing.assert_allclose(off, [offset, 0, 0], atol=0.2)


def test_a_click_beside_a_sac_takes_the_nearest(click: Click, scan_of_two: Volume) -> None:
    beside = click(scan_of_two, -6.0, 6.0, 0.0)  # 2 mm off the smaller one, 11 off the larger
    assert beside.probability < 0.01
    np.testing.assert_array_equal(whole(beside), whole(click(scan_of_two, -6.0, 0.0, 0.0)))
    towards_larger = click(scan_of_two, 3.0, 0.0, 0.0)  # 2 mm and 5 mm off their walls
    np.testing.assert_array_equal(whole(towards_larger), whole(click(scan_of_two, 10.0, 0.0, 0.0)))


def test_a_click_far_away_says_where_the_highest_probability_is(
    click: Click, scan_of_two: Volume
) -> None:
    result = click(scan_of_two, -6.0, 9.0, 0.0)
    assert result.found is None
    assert result.probability < 0.01
    assert result.highest_probability > 0.99
    distance = np.linalg.norm(np.subtract(result.highest_lps, GRID.center) - [-6.0, 0.0, 0.0])
    assert distance < 4.0  # in the sac that the window saw
    assert result.candidate is not None
    assert result.candidate.lps == result.highest_lps  # here there is but one
    away = np.linalg.norm(np.subtract(result.candidate.lps, result.clicks.inside[0]))
    assert result.candidate.distance_mm == pytest.approx(away)
    right, anterior, superior = np.multiply(result.candidate.lps, [-1, -1, 1])
    words = f"{away:.0f} mm away, at R {right:.1f}, A {anterior:.1f}, S {superior:.1f} mm."
    assert result.message.startswith("There is no aneurysm at R ")
    assert result.message.endswith(words)
    assert result.to_dict()["candidate"]["distance_mm"] == pytest.approx(away, abs=0.05)
    there = np.subtract(result.candidate.lps, GRID.center)
    assert click(scan_of_two, *there).found is not None
    with pytest.raises(UserError, match="no aneurysm at"):
        result.save("nothing.nrrd")


def test_where_nothing_is_bright_nothing_is_likely(click: Click, scan_with: Any) -> None:
    result = click(scan_with(GRID, ((14.0, 0.0, 0.0), 4.0)), -18.0, -20.0, -16.0)
    assert result.found is None
    assert result.highest_probability < 0.01
    assert result.candidate is None
    assert result.message.endswith(", and nothing around it looks like one.")
    assert result.windows == 1


@pytest.mark.parametrize("flipped", [(), (0,), (1, 2), (0, 1, 2)])
def test_it_lands_right_on_oblique_flipped_anisotropic_grids(
    click: Click, scan_with: Any, oblique: Geometry, flipped: tuple[int, ...]
) -> None:
    matrix = np.array(oblique.direction).reshape(3, 3)
    matrix[:, list(flipped)] *= -1
    scan = scan_with(replace(oblique, direction=tuple(matrix.reshape(-1))), ((6.0, 3.0, -2.0), 4.0))
    result = click(scan, 5.0, 2.0, -2.0)
    assert result.found is not None
    expected = np.add(scan.geometry.center, [6.0, 3.0, -2.0])
    found = result.found.measurements
    assert np.linalg.norm(np.subtract(found.centroid_lps, expected)) < 0.3  # voxels: 0.6 mm
    assert found.volume_ml == pytest.approx(4 / 3 * np.pi * 0.4**3, rel=0.1)
    voxels = np.argwhere(whole(result))[:, ::-1]
    np.testing.assert_allclose(
        scan.geometry.index_to_world(voxels).mean(axis=0), expected, atol=0.3
    )


@pytest.mark.parametrize("spacing", [0.35, 0.8, 1.7])
def test_grids_finer_and_coarser_than_the_working_grid(
    click: Click, scan_with: Any, spacing: float
) -> None:
    size = round(32 / spacing)
    scan = scan_with(Geometry((size,) * 3, (spacing,) * 3), ((6.0, 0.0, 0.0), 4.0))
    found = click(scan, 6.0, 0.0, 0.0).found
    assert found is not None
    off = np.subtract(found.measurements.centroid_lps, scan.geometry.center) - [6.0, 0.0, 0.0]
    assert np.linalg.norm(off) < min(0.4, spacing / 2)
    assert found.measurements.volume_ml == pytest.approx(4 / 3 * np.pi * 0.4**3, rel=0.15)


def test_the_same_as_in_a_run_over_the_whole_scan(
    click: Click, segmenter: Segmenter, scan_of_two: Volume
) -> None:
    labels = segmenter.segment(scan_of_two, ONE_HALF).labels
    clicked = whole(click(scan_of_two, -6.0, 0.0, 0.0, settings=ONE_HALF))
    left = np.zeros_like(clicked)
    middle = round(float(GRID.world_to_index(np.add(GRID.center, [2.0, 0, 0]))[0]))
    left[..., :middle] = labels.array[..., :middle] == ANEURYSM
    assert left.sum() > 300
    np.testing.assert_array_equal(clicked, left)

    labels = segmenter.segment(scan_of_two).labels
    left[..., :middle] = labels.array[..., :middle] == ANEURYSM
    by_default = whole(click(scan_of_two, -6.0, 0.0, 0.0))
    assert 2 * (by_default & left).sum() > 0.98 * (by_default.sum() + left.sum())


def test_a_sac_across_the_windows_border_is_followed(
    click: Click, segmenter: Segmenter, scan_with: Any, windows_run: Any
) -> None:
    """The window reaches 12.8 mm around the click, the sac 17 mm to one side."""
    scan = scan_with(GRID, ((8.0, 0.0, 0.0), 9.0))
    result = click(scan, 0.0, 0.0, 0.0, settings=ONE_HALF)
    assert len(windows_run) == result.windows == 2
    assert result.complete
    labels = segmenter.segment(scan, ONE_HALF).labels.array
    np.testing.assert_array_equal(whole(result), labels == ANEURYSM)


@pytest.fixture(scope="module")
def clicked(segmenter: Segmenter) -> Segmenter:
    """The same teacher with channels for clicks, which it has not learned to heed."""
    teacher = segmenter.teacher
    config = replace(teacher.network.config, click_width_mm=1.6)
    network = build_network(config).eval()
    network.load_state_dict(with_click_weights(teacher.network.state_dict(), network))
    card = replace(teacher.card, network=config.to_dict())
    return Segmenter(replace(teacher, network=network, card=card), "cpu")


def test_a_network_that_knows_clicks_is_shown_them(
    click: Click, clicked: Segmenter, scan_with: Any
) -> None:
    """At their places also where mirror images fill the window; without clicks it sees none."""
    geometry = Geometry((24, 20, 16), (0.8, 0.8, 0.8))
    scan = scan_with(geometry, ((4.0, 0.0, 0.0), 3.0))
    seen: list[Any] = []
    hook = clicked.teacher.network.register_forward_hook(
        lambda module, inputs, output: seen.append(inputs[0].numpy().copy())
    )
    try:
        inside = [np.add(geometry.center, (4.0, 0.0, 0.0))]
        outside = [geometry.index_to_world((4, 5, 6))]
        result = clicked.segment_at_points(scan, inside, outside, ONE)
        clicked.segment(scan, ONE)
    finally:
        hook.remove()
    window, whole_scan = seen
    assert (window.shape, whole_scan.shape) == ((1, 3, 32, 32, 32), (1, 1, 32, 32, 32))
    np.testing.assert_array_equal(window[:, :1], whole_scan)
    assert window[0, 2, 6 + 8, 5 + 6, 4 + 4] == window[0, 2].max() == 1.0
    middle = np.add(geometry.world_to_index(inside[0])[::-1], (8, 6, 4))
    peak = np.unravel_index(window[0, 1].argmax(), (32, 32, 32))
    assert np.abs(np.subtract(peak, middle)).max() <= 0.5
    assert result.found is not None
    assert result.found.measurements.certainty is not None
    plain = click(scan, 4.0, 0.0, 0.0)
    np.testing.assert_array_equal(whole(result), whole(plain))


def test_growing_has_an_end_and_says_so(
    click: Click, distance_to: Any, segmenter: Segmenter
) -> None:
    """A tube that is bright all along its 280 mm: a vessel tree taken for an aneurysm."""
    geometry = Geometry((20, 20, 350), (0.8, 0.8, 0.8))
    bright = distance_to(geometry, geometry.center, axis=2) < 4.0
    scan = Volume(np.where(bright, 2000, 100).astype(np.int16), geometry)
    result = click(scan, 0.0, 0.0, 0.0)
    assert result.windows == MAXIMUM_WINDOWS
    assert not result.complete
    assert result.found is not None
    length_mm = result.found.labels.array.shape[0] * 0.8
    assert 100 < length_mm < 200  # 32 voxels of 0.8 mm, and 16 more for each other window
    assert result.to_dict()["complete"] is False


@pytest.mark.parametrize("offset", [(21.0, 0.0, 0.0), (0.0, -23.0, 0.0), (0.0, 0.0, 19.0)])
def test_a_sac_at_the_scans_border(
    click: Click, segmenter: Segmenter, scan_with: Any, offset: Any
) -> None:
    scan = scan_with(GRID, (offset, 4.0))
    result = click(scan, *offset, settings=ONE_HALF)
    assert result.windows == 1
    assert result.complete
    assert result.found is not None
    assert result.found.measurements.cut_off
    bright = scan.array > 1650
    inside = whole(result)
    assert 2 * (bright & inside).sum() > 0.97 * (bright.sum() + inside.sum())


def test_a_click_in_the_outermost_half_voxel(click: Click, scan_with: Any) -> None:
    scan = scan_with(GRID, ((21.0, 0.0, 0.0), 4.0))
    assert click(scan, 56 * 0.4 - 0.01, 0.0, 0.0).found is not None


@pytest.mark.parametrize("offset", [(22.5, 0, 0), (0, 0, -20.1), (1e9, 0, 0)])
def test_a_click_outside_is_refused(
    click: Click, scan_of_two: Volume, windows_run: Any, offset: Any
) -> None:
    with pytest.raises(UserError, match=r"R .* mm lies outside the scan"):
        click(scan_of_two, *offset)
    assert windows_run == []


def test_a_scan_smaller_than_the_window(click: Click, scan_with: Any) -> None:
    scan = scan_with(Geometry((24, 20, 16), (0.8, 0.8, 0.8)), ((4.0, 0.0, 0.0), 3.0))
    result = click(scan, 4.0, 0.0, 0.0)
    assert (result.windows, result.complete) == (1, True)
    assert result.found is not None
    off = np.subtract(result.found.measurements.centroid_lps, scan.geometry.center)
    np.testing.assert_allclose(off, [4.0, 0.0, 0.0], atol=0.2)


def test_the_smallest_sizes_of_a_whole_scan_do_not_count(click: Click, scan_with: Any) -> None:
    scan = scan_with(GRID, ((12.0, 0.0, 0.0), 2.0))  # which no vessel touches, besides
    settings = SegmentationSettings(threads=1, minimum_aneurysm_mm3=1000.0)
    assert click(scan, 12.0, 0.0, 0.0, settings=settings).found is not None


def test_a_prepared_scan_gives_the_same(
    click: Click, segmenter: Segmenter, scan_of_two: Volume
) -> None:
    prepared = segmenter.prepare(scan_of_two)
    before = prepared.working.array.copy()
    first, second = (click(prepared, -6.0, 0.0, 0.0) for _ in range(2))
    np.testing.assert_array_equal(prepared.working.array, before)
    np.testing.assert_array_equal(whole(first), whole(click(scan_of_two, -6.0, 0.0, 0.0)))
    np.testing.assert_array_equal(whole(first), whole(second))
    assert first.to_dict() == second.to_dict()


def test_a_click_costs_the_same_in_a_large_scan(
    click: Click, segmenter: Segmenter, scan_of_two: Volume
) -> None:
    """The same box in space with voxels of 0.1 mm: 86 million of them."""
    prepared = segmenter.prepare(scan_of_two)
    size = tuple(n * 8 for n in GRID.size)
    origin = GRID.index_to_world([-0.4375] * 3)
    fine = Geometry(size, (0.1, 0.1, 0.1), tuple(origin))  # type: ignore[arg-type]
    np.testing.assert_allclose(fine.center, GRID.center)
    array = scan_of_two.array
    for axis in range(3):
        array = array.repeat(8, axis)
    large = PreparedScan(Volume(array, fine), prepared.working, prepared.bounds)
    tracemalloc.start()
    try:
        result = click(large, -6.0, 0.0, 0.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.found is not None
    assert result.found.labels.array.size < 90**3
    assert (
        peak < 300e6
    )  # one float copy of the scan would take 344 MB; the box has 6 million voxels
    off = np.subtract(result.found.measurements.centroid_lps, fine.center)
    np.testing.assert_allclose(off, [-6.0, 0.0, 0.0], atol=0.1)


@pytest.mark.parametrize("phase", ["Preparing", "Segmenting", "Returning", "Measuring"])
def test_cancel_works_in_every_phase(segmenter: Segmenter, scan_of_two: Volume, phase: str) -> None:
    reached: list[str] = []
    monitor = Monitor(
        lambda fraction, text: reached.append(text),
        lambda: bool(reached) and reached[-1].startswith(phase),
    )
    with pytest.raises(Cancelled):
        segmenter.segment_at_points(scan_of_two, [GRID.center], (), ONE, monitor=monitor)
    assert reached[-1].startswith(phase)


def test_cancel_between_two_windows(
    segmenter: Segmenter, scan_with: Any, windows_run: list[Any]
) -> None:
    scan = scan_with(GRID, ((8.0, 0.0, 0.0), 9.0))
    monitor = Monitor(cancelled=lambda: len(windows_run) == 1)
    with pytest.raises(Cancelled):
        segmenter.segment_at_points(scan, [GRID.center], (), ONE, monitor=monitor)
    assert len(windows_run) == 1
