from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from gsema_core import __version__
from gsema_core.errors import Cancelled, UserError
from gsema_core.evaluation.metrics import case_metrics
from gsema_core.grids import Geometry, Volume
from gsema_core.inference import Monitor, SegmentationResult, SegmentationSettings, Segmenter
from gsema_core.inference.shares import FULL
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.machine import waiting
from gsema_core.teachers import load_teacher


@pytest.fixture(scope="module")
def result(segmenter: Segmenter, scan: Volume) -> SegmentationResult:
    settings = SegmentationSettings(probabilities=True, threads=1, minimum_aneurysm_mm3=5.0)
    return segmenter.segment(scan, settings)


def test_labels_lie_on_the_scans_own_oblique_grid(
    result: SegmentationResult, scan: Volume, truth: Volume
) -> None:
    assert result.labels.geometry == scan.geometry
    assert result.labels.array.dtype == np.uint8
    found, known = result.labels.array, truth.array
    dice = {
        label: case_metrics(found, known, label, scan.geometry)["dice"]
        for label in (VESSEL, ANEURYSM)
    }
    assert dice[ANEURYSM] > 0.85
    assert dice[VESSEL] > 0.5  # the sac's blurred rim counts as vessel


@pytest.mark.parametrize("flipped", [(), (0,), (1, 2), (0, 1, 2)])
def test_the_aneurysm_is_at_its_place_within_half_a_voxel(
    segmenter: Segmenter, make_scan: Any, oblique: Geometry, flipped: tuple[int, ...]
) -> None:
    matrix = np.array(oblique.direction).reshape(3, 3)
    matrix[:, list(flipped)] *= -1
    image, _ = make_scan(replace(oblique, direction=tuple(matrix.reshape(-1))))
    (aneurysm,) = segmenter.segment(image).aneurysms
    expected = np.add(image.geometry.center, [6.0, 0.0, 2.0])
    assert np.linalg.norm(np.subtract(aneurysm.centroid_lps, expected)) < 0.3  # voxels: 0.6 mm
    assert aneurysm.volume_ml == pytest.approx(4 / 3 * np.pi * 0.5**3, rel=0.3)


def test_probabilities_follow_the_labels(result: SegmentationResult) -> None:
    assert result.probabilities is not None
    assert result.probabilities.geometry == result.labels.geometry
    aneurysm = result.labels.array == ANEURYSM
    assert result.probabilities.array[aneurysm].min() > 0.3
    assert result.probabilities.array[~aneurysm].max() < 0.7
    assert result.probabilities.array.max() <= 1.0


def test_certainty_is_the_mean_probability_of_an_aneurysm(result: SegmentationResult) -> None:
    assert result.probabilities is not None
    (told,) = result.report["aneurysms"]
    inside = result.probabilities.array[result.labels.array == ANEURYSM]
    assert told["certainty"] == result.aneurysms[0].certainty
    assert told["certainty"] == pytest.approx(inside[inside > 0.5].mean(), abs=0.1)


def test_the_report_tells_where_the_result_comes_from(
    result: SegmentationResult, teacher_file: Path, scan: Volume
) -> None:
    report = json.loads(json.dumps(result.report, allow_nan=False))
    assert report["teacher"]["sha256"] == load_teacher(teacher_file).sha256
    assert report["teacher"]["name"] == "tiny"
    assert report["program"]["version"] == __version__
    assert report["device"]["name"] == "cpu"
    assert report["device"]["threads"] == 1
    assert report["settings"]["minimum_aneurysm_mm3"] == 5.0
    assert report["geometry"]["size"] == list(scan.geometry.size)
    assert report["aneurysms"][0]["voxels"] == (result.labels.array == ANEURYSM).sum()
    assert {"prepare", "windows", "restore", "clean", "measure"} <= set(report["seconds"])


def test_windows_that_wait_for_cores_say_so(
    segmenter: Segmenter, scan: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any work is a wait where a hundredth of its processor time is too long for it."""
    monkeypatch.setattr(waiting, "SUSTAINED_S", 0.0)
    for factor, said in ((0.01, 1), (100.0, 0)):
        monkeypatch.setattr(waiting, "FACTOR", factor)
        notes = segmenter.segment(scan, SegmentationSettings(threads=1)).report["notes"]
        assert sum(note.startswith("A window takes ") for note in notes) == said


def test_a_prepared_scan_gives_the_same(
    segmenter: Segmenter, scan: Volume, result: SegmentationResult
) -> None:
    again = segmenter.segment(segmenter.prepare(scan))
    np.testing.assert_array_equal(again.labels.array, result.labels.array)
    assert again.probabilities is None


def test_windows_left_out_change_nothing_and_are_told(
    segmenter: Segmenter, make_scan: Any, windows_run: Any
) -> None:
    wide, _ = make_scan(Geometry((88, 88, 40), (1.0, 1.0, 1.0)))
    quick = segmenter.segment(wide)
    ran = len(windows_run)
    windows_run.clear()
    slow = segmenter.segment(wide, SegmentationSettings(skip_empty=False))
    np.testing.assert_array_equal(quick.labels.array, slow.labels.array)
    told = quick.report["windows"]
    assert (told["run"], told["total"]) == (ran, len(windows_run))
    assert told["skipped_share"] == pytest.approx(1 - ran / len(windows_run), abs=1e-4)
    assert told["skipped_share"] > 0.4
    assert slow.report["windows"]["skipped_share"] == 0
    assert slow.report["settings"]["skip_empty"] is False


def test_small_aneurysms_are_left_out_as_told(segmenter: Segmenter, scan: Volume) -> None:
    picky = segmenter.segment(scan, SegmentationSettings(minimum_aneurysm_mm3=2000.0))
    assert picky.aneurysms == []
    assert not (picky.labels.array == ANEURYSM).any()
    assert (picky.labels.array == VESSEL).any()


def test_walls_are_drawn_by_the_scan_unless_told_otherwise(
    segmenter: Segmenter, scan: Volume
) -> None:
    """A scan in other units, with the same voxels: the same walls."""
    by_scan = segmenter.segment(scan)
    by_teacher = segmenter.segment(scan, SegmentationSettings(walls_by_scan=False))
    differing = by_scan.labels.array != by_teacher.labels.array
    assert 0 < differing.sum() < 0.2 * (by_teacher.labels.array > 0).sum()
    wall = ndimage.binary_dilation(by_teacher.labels.array > 0, iterations=2)
    assert wall[differing].all()
    assert by_teacher.report["settings"]["walls_by_scan"] is False
    other = Volume(scan.array.astype(np.float32) * 0.5 - 300, scan.geometry)
    np.testing.assert_array_equal(segmenter.segment(other).labels.array, by_scan.labels.array)


def test_a_threshold_takes_the_place_of_the_likeliest_class(
    segmenter: Segmenter, scan: Volume, result: SegmentationResult
) -> None:
    assert result.probabilities is not None
    probability = result.probabilities.array
    sizes = []
    for threshold in (0.9, 0.5, 0.1):
        settings = SegmentationSettings(
            threads=1, aneurysm_threshold=threshold,
            minimum_aneurysm_mm3=0.0, minimum_vessel_mm3=0.0,
        )  # fmt: skip
        labels = segmenter.segment(scan, settings).labels.array
        # Without vessel around them, specks of noise are not aneurysms.
        assert (labels[probability < threshold - 1e-6] != ANEURYSM).all()
        above = labels[probability > threshold + 1e-6]
        assert (above == ANEURYSM).mean() > 0.98
        assert (labels == VESSEL).any()
        sizes.append(int((labels == ANEURYSM).sum()))
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


@pytest.mark.parametrize("phase", ["Preparing", "Segmenting", "Returning", "Removing", "Measuring"])
def test_cancel_works_in_every_phase(segmenter: Segmenter, scan: Volume, phase: str) -> None:
    reached: list[str] = []
    monitor = Monitor(
        lambda fraction, text: reached.append(text),
        lambda: bool(reached) and reached[-1].startswith(phase),
    )
    with pytest.raises(Cancelled):
        segmenter.segment(scan, monitor=monitor)
    assert reached[-1].startswith(phase)


def test_a_scan_too_thin_is_refused(segmenter: Segmenter) -> None:
    slab = Volume(np.zeros((3, 40, 40), dtype=np.int16), Geometry((40, 40, 3), (0.5, 0.5, 0.5)))
    with pytest.raises(UserError, match=r"20\.0 x 20\.0 x 1\.5 mm"):
        segmenter.segment(slab)


def test_an_array_with_nan_is_refused(segmenter: Segmenter, scan: Volume) -> None:
    array = scan.array.astype(np.float32)
    array[20, 20, 20] = np.nan
    with pytest.raises(UserError, match="not finite"):
        segmenter.segment(Volume(array, scan.geometry))


def test_a_scan_without_contrast_is_refused_or_gives_an_empty_result(segmenter: Segmenter) -> None:
    geometry = Geometry((40, 40, 40), (0.8, 0.8, 0.8))
    flat = Volume(np.zeros(geometry.shape, dtype=np.int16), geometry)
    with pytest.raises(UserError, match="Nothing in the scan is brighter"):
        segmenter.segment(flat)
    empty = segmenter.segment(flat, SegmentationSettings(refuse_implausible=False))
    assert empty.aneurysms == []
    assert not empty.labels.array.any()


def test_a_missing_device_is_told(
    teacher_file: Path, monkeypatch: pytest.MonkeyPatch, with_card: Callable[..., Any]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match="no device cuda here"):
        Segmenter(load_teacher(teacher_file), "cuda")


def test_an_aneurysm_that_is_not_sure_is_vessel(
    segmenter: Segmenter, scan: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = segmenter._blend

    def unsure(*arguments: Any, **options: Any) -> Any:
        foreground = predict(*arguments, **options)
        vessel, aneurysm = foreground[VESSEL - 1], foreground[ANEURYSM - 1]
        surplus = aneurysm - np.minimum(aneurysm, np.uint16(0.8 * FULL))
        aneurysm -= surplus
        vessel += surplus
        return foreground

    monkeypatch.setattr(segmenter, "_blend", unsure)
    kept = segmenter.segment(scan, SegmentationSettings(minimum_certainty=0.0))
    dropped = segmenter.segment(scan, SegmentationSettings(minimum_certainty=0.9))
    assert kept.aneurysms and not dropped.aneurysms
    assert (dropped.labels.array == VESSEL).sum() > (kept.labels.array == VESSEL).sum()
