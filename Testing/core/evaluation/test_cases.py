from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.evaluation import score_case
from gsema_core.grids import Volume
from gsema_core.labels import IGNORE

VESSEL, ANEURYSM = 1, 2


def test_each_label_and_each_aneurysm(draw: Callable[..., Volume]) -> None:
    reference = draw((VESSEL, 0, 0, 0, 4), (ANEURYSM, 5, 5, 5, 4), (ANEURYSM, 12, 12, 12, 2))
    # Half of the vessel, all of the large aneurysm, none of the small one, and one that is none.
    prediction = draw((VESSEL, 2, 0, 0, 4), (ANEURYSM, 5, 5, 5, 4), (ANEURYSM, 17, 2, 17, 2))
    case = score_case("one", prediction, reference)

    assert case.vessel["dice"] == pytest.approx(0.5)
    assert case.aneurysm["sensitivity"] == pytest.approx(64 / 72)
    assert (case.detected, case.missed, case.false_positives) == (1, 1, 1)
    large, small = case.lesions
    assert (large.detected, small.detected) == (True, False)
    # 64 and 8 voxels of 0.25 mm3; between 1.5, 1.5, 3 mm apart centers and the corners.
    assert (large.volume_ml, small.volume_ml) == pytest.approx((0.016, 0.002))
    assert (1.5**2 + 1.5**2 + 3**2) ** 0.5 < large.largest_diameter_mm < (2**2 * 2 + 4**2) ** 0.5
    assert case.largest_diameter_mm == large.largest_diameter_mm
    assert case.reference_ml == pytest.approx(0.018)
    assert case.patient is None and "patient" not in case.to_dict()
    assert score_case("one", prediction, reference, patient=3).to_dict()["patient"] == 3


def test_neighbors_in_one_box_are_told_apart(draw: Callable[..., Volume]) -> None:
    # The L of the first aneurysm has the second one in its bounding box; only that one is found.
    arms = [(ANEURYSM, k, 2, 2, 1) for k in range(2, 9)]
    arms += [(ANEURYSM, 2, 2, i, 1) for i in range(3, 9)]
    inside = (ANEURYSM, 6, 2, 6, 2)
    case = score_case("L", draw(inside), draw(*arms, inside))
    assert sorted((lesion.volume_ml, lesion.detected) for lesion in case.lesions) == [
        (pytest.approx(0.002), True),
        (pytest.approx(0.00325), False),
    ]


def test_nothing_there_and_nothing_found(draw: Callable[..., Volume]) -> None:
    case = score_case("empty", draw((VESSEL, 0, 0, 0, 4)), draw((VESSEL, 0, 0, 0, 4)))
    assert case.lesions == ()
    assert (case.missed, case.false_positives, case.largest_diameter_mm) == (0, 0, 0.0)
    written = case.to_dict()
    assert written["aneurysm"]["dice"] == 1.0
    assert written["aneurysm"]["sensitivity"] is None


def test_a_prediction_ignores_nothing(draw: Callable[..., Volume]) -> None:
    truth = draw()
    wrong = Volume(np.full_like(truth.array, IGNORE), truth.geometry)
    assert score_case("1", truth, wrong).false_positives == 0
    with pytest.raises(UserError, match="prediction of case 1 has voxels to ignore"):
        score_case("1", wrong, truth)
