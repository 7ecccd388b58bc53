from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from gsema_core.evaluation import summarize_cases

Scored = Callable[..., Any]


def test_mean_spread_and_worst_case(scored: Scored) -> None:
    cases = [
        scored("x", 0.8, hd95=2.0),
        scored("y", 0.2, hd95=9.0, sensitivity=math.nan),
        scored("z", 0.5, hd95=0.5),
    ]
    summary = summarize_cases(cases)
    dice, hd95 = summary["aneurysm"]["dice"], summary["aneurysm"]["hd95_mm"]
    assert (dice["mean"], dice["median"], dice["q1"], dice["q3"]) == (0.5, 0.5, 0.35, 0.65)
    assert (dice["worst"], dice["worst_case"]) == (0.2, "y")
    assert 0.2 <= dice["interval_low"] < 0.5 < dice["interval_high"] <= 0.8
    assert (hd95["worst"], hd95["worst_case"]) == (9.0, "y")
    assert summary["aneurysm"]["sensitivity"]["count"] == 2
    assert summary["aneurysm"]["sensitivity"]["worst_case"] == "x"
    assert summary["vessel"]["dice"]["mean"] == 0.9


def test_lesions_are_pooled(scored: Scored) -> None:
    cases = [
        scored("x", 0.5, ((2.0, False), (4.0, True), (7.0, True)), false_positives=3),
        scored("y", 0.5, ((12.0, False),)),
        scored("z", 1.0, ()),
    ]
    summary = summarize_cases(cases)
    assert (summary["aneurysms"], summary["cases_without_aneurysm"]) == (4, 1)
    lesions = summary["lesions"]
    assert (lesions["missed_share"]["count"], lesions["missed_share"]["of"]) == (2, 4)
    assert lesions["missed_share"]["value"] == lesions["sensitivity"]["value"] == 0.5
    assert lesions["false_positives_per_case"]["value"] == 1.0
    # Samples of the first case alone miss a third, those of the second alone everything.
    assert lesions["missed_share"]["interval_low"] == pytest.approx(1 / 3, abs=1e-4)
    assert lesions["missed_share"]["interval_high"] == 1.0


def test_size_classes_begin_at_their_lower_end(scored: Scored) -> None:
    lesions = ((2.99, False), (3.0, False), (5.0, False), (9.99, True), (10.0, True), (30.0, True))
    assert summarize_cases([scored("x", 0.5, lesions)])["missed_by_size"] == {
        "under 3 mm": {"aneurysms": 1, "missed": 1},
        "3 to 5 mm": {"aneurysms": 1, "missed": 1},
        "5 to 10 mm": {"aneurysms": 2, "missed": 1},
        "10 mm and more": {"aneurysms": 2, "missed": 0},
    }


def test_centers_count_alike_however_many_cases_they_have(scored: Scored) -> None:
    cases = [scored(str(n), 0.9) for n in range(3)]
    cases.append(scored("3", 0.1, ((6.0, False),), center="B"))
    summary = summarize_cases(cases)
    assert summary["aneurysm"]["dice"]["mean"] == 0.7
    assert summary["across_centers"] == {
        "mean_dice": 0.5, "worst_center": "B", "worst_dice": 0.1
    }  # fmt: skip
    assert summary["centers"]["A"]["missed_share"] == 0.0
    assert summary["centers"]["B"]["missed_share"] == 1.0
    assert "centers" not in summarize_cases(cases[:3])


def test_repeated_scans_of_patients_change_no_interval(scored: Scored) -> None:
    """The fault that this prevents: two scans a patient made every interval too narrow."""
    dices = (0.9, 0.7, 0.5, 0.2, 0.8, 0.6)
    found = [((6.0, n % 3 > 0), (4.0, True))[: 1 + n % 2] for n in range(6)]
    cases = [
        scored(str(n), dice, lesions, n % 2, "AB"[n % 2], patient=n)
        for n, (dice, lesions) in enumerate(zip(dices, found, strict=True))
    ]
    once, twice = summarize_cases(cases), summarize_cases([*cases, *cases])
    for some in (once, twice):
        assert (some["patients"], some["intervals_over"]) == (6, "patients")
    assert twice["cases"] == 12
    for name in ("interval_low", "interval_high"):
        assert twice["aneurysm"]["dice"][name] == pytest.approx(once["aneurysm"]["dice"][name])
        for rate in ("sensitivity", "missed_share", "false_positives_per_case"):
            assert twice["lesions"][rate][name] == once["lesions"][rate][name]
    for name in ("patients", "dice_low", "dice_high"):
        assert twice["centers"]["A"][name] == pytest.approx(once["centers"]["A"][name])


def test_unknown_patients_are_said(scored: Scored) -> None:
    cases = [scored("1", 0.9), scored("2", 0.7), scored("3", 0.5)]
    summary = summarize_cases(cases)
    assert summary["patients"] is None
    assert summary["intervals_over"].startswith("cases, each taken for a patient of its own")
    apart = summarize_cases([dataclasses.replace(case, patient=n) for n, case in enumerate(cases)])
    assert apart["aneurysm"] == summary["aneurysm"]


def test_one_case_without_aneurysm_is_still_json(scored: Scored) -> None:
    summary = summarize_cases([scored("x", 1.0, (), sensitivity=math.nan)])
    assert summary["aneurysm"]["sensitivity"]["mean"] is None
    assert summary["aneurysm"]["sensitivity"]["worst_case"] is None
    assert summary["aneurysm"]["dice"]["interval_low"] is None  # one case says nothing of others
    assert summary["lesions"]["missed_share"]["value"] is None
    json.dumps(summary, allow_nan=False)


def test_lesions_f1_is_of_sums(scored: Scored) -> None:
    cases = [scored("x", 0.5, ((6.0, True),) * 3), scored("y", 0.0, ((6.0, False),), 2)]
    f1 = summarize_cases(cases)["lesions"]["f1"]
    assert (f1["count"], f1["of"], f1["value"]) == (6, 9, 0.6667)
    assert summarize_cases([scored("z", 1.0, ())])["lesions"]["f1"]["value"] is None
    centers = [scored("x", 1.0, ()), scored("y", 0.5, center="B")]
    assert [c["lesion_f1"] for c in summarize_cases(centers)["centers"].values()] == [None, 1.0]


def test_what_surface_distances_are_is_said(scored: Scored) -> None:
    one, other = scored("1", 0.5), scored("2", 0.5)
    assert "spacing" not in summarize_cases([one, other])["surface_distances"]
    one = dataclasses.replace(one, spacing_mm=(0.4, 0.4, 0.5))
    other = dataclasses.replace(other, spacing_mm=(0.4, 0.4, 0.75))
    told = summarize_cases([one, other])["surface_distances"]
    assert told.startswith("in mm, between the centers of surface voxels")
    assert told.endswith("voxel spacing 0.4 x 0.4 x 0.5 to 0.75 mm")
