from __future__ import annotations

import math

import numpy as np
import pytest

from gsema_core.evaluation import LesionCounts, case_metrics, lesion_metrics
from gsema_core.grids import Geometry
from gsema_core.labels import IGNORE

GRID = Geometry((20, 20, 20), (0.4, 0.4, 0.4))
EMPTY = np.zeros(GRID.shape, np.uint8)


def box(k: slice, j: slice = slice(5, 10), i: slice = slice(5, 10), value: int = 2) -> np.ndarray:
    array = np.zeros(GRID.shape, np.uint8)
    array[k, j, i] = value
    return array


def test_hand_made_overlap() -> None:
    reference = box(slice(4, 8))  # 100 voxels
    prediction = box(slice(5, 11))  # 150 voxels, 75 in common
    scores = case_metrics(prediction, reference, 2, GRID)
    assert scores["dice"] == pytest.approx(2 * 75 / 250)
    assert scores["sensitivity"] == pytest.approx(0.75)
    assert scores["precision"] == pytest.approx(75 / 150)
    assert scores["jaccard"] == pytest.approx(75 / 175)
    assert scores["volume_similarity"] == pytest.approx(1 - 50 / 250)


def test_perfect() -> None:
    scores = case_metrics(box(slice(4, 8)), box(slice(4, 8)), 2, GRID)
    assert scores == {
        "dice": 1,
        "sensitivity": 1,
        "precision": 1,
        "jaccard": 1,
        "volume_similarity": 1,
        "hd95_mm": 0,
        "nsd_0.5mm": 1,
    }


@pytest.mark.parametrize(("axis", "spacing"), [("k", 0.8), ("i", 0.3)])
def test_surface_distance_of_a_shifted_sheet_is_the_shift(axis: str, spacing: float) -> None:
    geometry = Geometry((20, 20, 20), (0.3, 0.5, 0.8))
    sheets = [np.zeros(geometry.shape, np.uint8) for _ in range(2)]
    for sheet, place in zip(sheets, (5, 8), strict=True):
        sheet[(place, slice(None), slice(None)) if axis == "k" else (..., place)] = 1
    scores = case_metrics(*sheets, 1, geometry)
    assert scores["hd95_mm"] == pytest.approx(3 * spacing)
    assert scores["nsd_0.5mm"] == 0
    assert scores["dice"] == 0


def test_half_a_millimeter_is_tolerated() -> None:
    near = case_metrics(box(slice(5, 6)), box(slice(6, 7)), 2, GRID)  # 0.4 mm apart
    assert (near["dice"], near["nsd_0.5mm"]) == (0, 1)
    far = case_metrics(box(slice(5, 6)), box(slice(7, 8)), 2, GRID)  # 0.8 mm
    assert far["nsd_0.5mm"] == 0


def test_other_classes_do_not_count() -> None:
    reference, prediction = box(slice(4, 8)), box(slice(4, 8))
    prediction[15:] = 1
    assert case_metrics(prediction, reference, 2, GRID)["dice"] == 1
    assert case_metrics(prediction, reference, 1, GRID)["dice"] == 0


def test_nothing_there_and_nothing_found() -> None:
    scores = case_metrics(EMPTY, EMPTY, 2, GRID)
    assert math.isnan(scores.pop("sensitivity")) and math.isnan(scores.pop("precision"))
    assert scores.pop("hd95_mm") == 0
    assert set(scores.values()) == {1.0}


@pytest.mark.parametrize("missed", [True, False])
def test_one_mask_empty_is_as_bad_as_can_be(missed: bool) -> None:
    masks = (EMPTY, box(slice(4, 8))) if missed else (box(slice(4, 8)), EMPTY)
    scores = case_metrics(*masks, 2, GRID)
    assert scores["hd95_mm"] == pytest.approx(8 * math.sqrt(3))
    names = ("dice", "jaccard", "volume_similarity", "nsd_0.5mm")
    assert [scores[name] for name in names] == [0, 0, 0, 0]
    undefined = ("precision", "sensitivity") if missed else ("sensitivity", "precision")
    assert math.isnan(scores[undefined[0]]) and scores[undefined[1]] == 0


@pytest.mark.parametrize("seed", range(5))
def test_monai_agrees(seed: int) -> None:
    torch = pytest.importorskip("torch")
    from monai.metrics import (
        compute_dice,
        compute_hausdorff_distance,
        compute_iou,
        compute_surface_dice,
    )
    from scipy import ndimage

    torch.set_num_threads(1)
    generator = np.random.default_rng(seed)
    geometry = Geometry((22, 26, 24), (0.3, 0.4, 0.6))
    masks = [
        ndimage.gaussian_filter(generator.normal(size=geometry.shape), 2.0) > 0.03 for _ in range(2)
    ]
    scores = case_metrics(*masks, True, geometry)
    found, true = (torch.from_numpy(mask)[None, None].float() for mask in masks)
    assert scores["dice"] == pytest.approx(compute_dice(found, true).item())
    assert scores["jaccard"] == pytest.approx(compute_iou(found, true).item())
    spacing = geometry.spacing[::-1]
    hd95 = compute_hausdorff_distance(found, true, percentile=95, spacing=spacing).item()
    assert scores["hd95_mm"] == pytest.approx(hd95, abs=1e-5)
    nsd = compute_surface_dice(found, true, [0.5], include_background=True, spacing=spacing).item()
    assert scores["nsd_0.5mm"] == pytest.approx(nsd, abs=1e-5)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="not the reference's"):
        case_metrics(EMPTY[:5], EMPTY, 2, GRID)
    with pytest.raises(ValueError, match="not the grid's"):
        case_metrics(EMPTY, EMPTY, 2, Geometry((5, 5, 5)))


def test_lesions_are_counted() -> None:
    reference = box(slice(2, 4)) + box(slice(12, 14))
    prediction = box(slice(3, 5)) + box(slice(8, 9)) + box(slice(17, 19), slice(0, 2))
    assert lesion_metrics(prediction, reference, 2) == LesionCounts(1, 1, 2)


def test_one_prediction_may_find_two_lesions() -> None:
    reference = box(slice(2, 4)) + box(slice(6, 8))
    assert lesion_metrics(box(slice(2, 8)), reference, 2) == (2, 0, 0)


def test_a_touch_is_no_detection_but_no_false_positive_either() -> None:
    reference, prediction = box(slice(2, 8)), box(slice(7, 8), slice(5, 6), slice(5, 7))
    assert lesion_metrics(prediction, reference, 2) == (0, 1, 0)
    assert lesion_metrics(prediction, reference, 2, minimum_overlap=0.0) == (1, 0, 0)


def test_no_overlap_is_never_a_detection() -> None:
    assert lesion_metrics(EMPTY, box(slice(2, 4)), 2, minimum_overlap=0.0) == (0, 1, 0)


@pytest.mark.parametrize(
    ("counts", "f1"), [((2, 1, 1), 4 / 6), ((0, 0, 0), 1), ((0, 2, 0), 0), ((0, 0, 2), 0)]
)
def test_f1_of_lesions(counts: tuple[int, int, int], f1: float) -> None:
    assert LesionCounts(*counts).f1 == pytest.approx(f1)


def test_no_lesions_at_all() -> None:
    assert lesion_metrics(EMPTY, EMPTY, 2) == (0, 0, 0)
    assert lesion_metrics(box(slice(2, 4)), EMPTY, 2) == (0, 0, 1)


def test_ignored_voxels_count_in_no_score() -> None:
    """Half of a lesion is ignored: what is predicted there changes nothing."""
    reference = box(slice(5, 15))
    reference[10:15] = IGNORE
    exact, beyond = box(slice(5, 10)), box(slice(5, 15))
    for prediction in (exact, beyond):
        scores = case_metrics(prediction, reference, 2, GRID)
        assert scores["dice"] == scores["jaccard"] == scores[f"nsd_{0.5:g}mm"] == 1
        assert scores["hd95_mm"] == 0
    half = box(slice(5, 8))
    assert case_metrics(half, reference, 2, GRID) == case_metrics(half, exact, 2, GRID)


def test_a_finding_that_touches_what_is_ignored_is_no_false_positive() -> None:
    reference = np.zeros_like(box(slice(1, 2)))
    reference[5:10] = IGNORE
    inside, across, outside = box(slice(6, 8)), box(slice(8, 14)), box(slice(12, 14))
    counts = [lesion_metrics(each, reference, 2) for each in (inside, across, outside)]
    assert counts == [LesionCounts(0, 0, 0), LesionCounts(0, 0, 0), LesionCounts(0, 0, 1)]
