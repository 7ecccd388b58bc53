from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gsema_core.datasets import Case
from gsema_core.evaluation import (
    Compared,
    compare_rows,
    compare_teachers,
    comparison_page,
    score_case,
)

Make = Callable[..., Compared]


@pytest.fixture
def compared(scored: Any) -> Make:
    """Cases of these aneurysm Dices, each of a patient of its own unless told."""

    def make(
        start: Sequence[float],
        new: Sequence[float],
        patients: Sequence[str] = (),
        use: str = "test",
        **new_values: Any,
    ) -> Compared:
        patients = patients or [f"Dulcinea {number}" for number in range(len(start))]
        cases = [Case(name, "A", Path("image"), Path("label"), use) for name in patients]
        return Compared(
            range(1, len(start) + 1),
            cases,
            [scored(str(number), dice) for number, dice in enumerate(start)],
            [scored(str(number), dice, **new_values) for number, dice in enumerate(new)],
        )

    return make


def verdict(compared: Compared) -> tuple[str, float | None]:
    report = compare_teachers(compared)
    return report["verdict"], report["p_value"]


def test_six_cases_that_all_gain_are_better(compared: Make) -> None:
    start, new = [0.5] * 6, [0.51, 0.52, 0.53, 0.54, 0.55, 0.56]
    assert verdict(compared(start, new)) == ("better", 0.0312)  # 2 / 2^6
    assert verdict(compared(new, start)) == ("worse", 0.0312)
    assert compare_rows(new, {"start": start})["start"].p == pytest.approx(2 / 64)


def test_what_may_be_chance_is_the_same(compared: Make) -> None:
    report = compare_teachers(compared([0.5] * 6, [0.9, 0.9, 0.9, 0.9, 0.9, 0.4]))
    assert report["verdict"] == "same" and report["p_value"] > 0.05
    assert report["verdict_text"].startswith("The new model is about as good as its start on 6")
    assert "mean aneurysm Dice 0.817 instead of 0.500" in report["verdict_text"]
    assert verdict(compared([0.5] * 8, [0.5] * 8)) == ("same", 1.0)


@pytest.mark.parametrize(
    ("gain", "expected"),
    [(0.3, "better"), (0.011, "better"), (0.009, "same"), (-0.009, "same"), (-0.011, "worse")],
)
def test_fewer_than_six_are_not_tested(compared: Make, gain: float, expected: str) -> None:
    report = compare_teachers(compared([0.5] * 5, [0.5 + gain] * 5))
    assert (report["verdict"], report["p_value"]) == (expected, None)
    assert report["warnings"][0].startswith("Only 5 patients were held out: the difference may be")
    assert "test" not in report["verdict_text"]


def test_several_cases_of_a_patient_count_once(compared: Make) -> None:
    """Six cases of three patients are three."""
    start, new = [0.5] * 6, [0.51, 0.52, 0.53, 0.54, 0.55, 0.56]
    report = compare_teachers(compared(start, new, list("aabbcc")))
    assert report["p_value"] is None and "Only 3 patients" in report["warnings"][0]
    twelve = compared(start * 2, new * 2, list("abcdef" * 2))
    assert verdict(twelve) == ("better", 0.0312)  # not the p of twelve


def test_one_patient_with_many_scans_is_one(compared: Make) -> None:
    """11 patients gain 0.02 to 0.12; the twelfth loses 0.2 in each of ten scans."""
    gains = [0.02 + 0.01 * n for n in range(11)] + [-0.2] * 10
    patients = [*"abcdefghijk", *"l" * 10]
    report = compare_teachers(compared([0.5] * 21, [0.5 + gain for gain in gains], patients))
    assert sum(gains) < 0  # the mean over scans says "worse"
    assert (report["verdict"], report["p_value"]) == ("better", 0.0342)  # 66 against 12
    assert report["summary"]["new"]["patients"] == 12
    mean = 0.5 + (sum(gains[:11]) - 0.2) / 12
    assert report["summary"]["new"]["aneurysm_dice"] == pytest.approx(mean, abs=1e-4)
    assert "on 21 held-out cases of 12 patients" in report["verdict_text"]
    assert f"{mean:.3f} instead of 0.500" in report["verdict_text"]


@pytest.mark.parametrize(("sign", "few"), [(1, "losses"), (-1, "gains")])
def test_mean_and_ranks_that_disagree_are_the_same(compared: Make, sign: int, few: str) -> None:
    """20 patients gain 0.01 to 0.02; two lose 0.4."""
    gains = [sign * (0.01 + 0.0005 * n) for n in range(20)] + [-0.4 * sign, -0.41 * sign]
    report = compare_teachers(compared([0.5] * 22, [0.5 + gain for gain in gains]))
    assert report["verdict"] == "same" and report["p_value"] < 0.01
    assert f"Mean and ranks disagree: a few large {few} outweigh the" in report["warnings"][0]


def test_mean_and_ranks_of_few_that_disagree_are_the_same(compared: Make) -> None:
    report = compare_teachers(compared([0.5] * 4, [0.51, 0.52, 0.53, 0.3]))
    assert report["verdict"] == "same" and "disagree" in " ".join(report["warnings"])
    # Ranks 1 and 2 against 3 are even: the mean alone says nothing either.
    assert verdict(compared([0.5] * 3, [0.51, 0.52, 0.3])) == ("same", None)


def test_repeating_every_scan_changes_no_verdict(compared: Make) -> None:
    start, new = [0.5] * 7, [0.6, 0.58, 0.45, 0.64, 0.57, 0.61, 0.72]
    once = compare_teachers(compared(start, new, list("abcdefg")))
    twice = compare_teachers(compared(start * 2, new * 2, list("abcdefg" * 2)))
    renamed = compare_teachers(compared(start * 2, new * 2, list("tuvwxyz" * 2)))
    assert renamed == twice
    for name in ("verdict", "p_value"):
        assert once[name] == twice[name]
    for name in ("aneurysm_dice", "sensitivity", "vessel_dice", "surface_distance_mm", "patients"):
        assert once["summary"]["new"][name] == twice["summary"]["new"][name]


def test_rows_and_sums(compared: Make, scored: Any) -> None:
    cases = compared([0.2, 0.4], [0.6, 0.8])
    found = scored("1", 0.6, ((2.0, True), (6.0, False)), 3, hd95=2.5, sensitivity=0.25)
    cases = dataclasses.replace(cases, numbers=[7, 9], new=[found, cases.new[1]])
    report = compare_teachers(cases)
    first = report["cases"][0]
    assert (first["case"], first["patient"], first["center"]) == (7, 1, "A")
    assert first["new"] == {
        "aneurysm_dice": 0.6,
        "sensitivity": 0.25,
        "precision": 0.25,
        "missed": 1,
        "false_positives": 3,
        "lesion_f1": 0.3333,  # 2 / (2 + 1 + 3)
        "surface_distance_mm": 2.5,
        "aneurysms": 2,
        "vessel_dice": 0.9,
    }
    new = report["summary"]["new"]
    assert (new["cases"], new["aneurysms"], new["missed"]) == (2, 3, 1)
    assert new["aneurysm_dice"] == pytest.approx(0.7)
    assert new["sensitivity"] == pytest.approx(0.375)
    assert new["false_positives_per_case"] == pytest.approx(1.5)
    assert new["surface_distance_mm"] == pytest.approx(1.75)
    assert new["missed_by_size"]["5 to 10 mm"] == {"aneurysms": 2, "missed": 1}
    assert report["summary"]["start"]["aneurysm_dice"] == pytest.approx(0.3)
    assert report["replay"] is None
    json.dumps(report, allow_nan=False)


def test_no_patient_in_the_report(compared: Make) -> None:
    report = compare_teachers(compared([0.1] * 3, [0.2] * 3), compared([0.5], [0.5]))
    assert "Dulcinea" not in json.dumps(report)


def test_distances_are_of_cases_that_both_have(grid: Any, draw: Any) -> None:
    """A case that one teacher misses is no distance, and takes none from the other's mean."""
    first, second = draw((2, 4, 4, 4, 4)), draw((2, 10, 10, 10, 4))
    moved, nothing = draw((2, 4, 4, 5, 4)), draw()

    def compared(start: Sequence[Any], new: Sequence[Any]) -> dict[str, Any]:
        references = (first, second, nothing)
        cases = [Case(str(n), "A", Path("i"), Path("l"), "test") for n in range(3)]
        scores = [
            [score_case("", one, true) for one, true in zip(some, references, strict=True)]
            for some in (start, new)
        ]
        return compare_teachers(Compared((1, 2, 3), cases, *scores))

    report = compared((moved, nothing, nothing), (first, second, first))
    distances = [
        [row[which]["surface_distance_mm"] for row in report["cases"]] for which in ("start", "new")
    ]
    assert distances == [[0.5, None, 0.0], [0.0, 0.0, None]]
    assert report["summary"]["start"]["surface_distance_mm"] == 0.5
    assert report["summary"]["new"]["surface_distance_mm"] == 0.0
    for summed in report["summary"].values():
        assert (summed["cases"], summed["surface_distance_cases"]) == (3, 1)
    assert [row["new"]["sensitivity"] for row in report["cases"]] == [1.0, 1.0, None]
    warnings = " ".join(report["warnings"])
    assert "finds 0.33 false aneurysms a case, its start 0" in warnings and "misses" not in warnings


def test_a_new_teacher_that_got_worse(compared: Make) -> None:
    missing = compared([0.5] * 6, [0.4] * 6, lesions=((6.0, False),))
    warnings = " ".join(compare_teachers(missing)["warnings"])
    assert "got worse: keep the one that it started from" in warnings
    assert "misses 6 of 6 aneurysms, its start 0" in warnings
    assert "Only" not in warnings


@pytest.mark.parametrize(
    ("use", "said"),
    [
        ("test", None),
        ("", "2 of the 2 cases are not marked for testing"),
        ("training", "2 of the 2 cases are marked for training or validation"),
    ],
)
def test_cases_that_may_have_been_trained_on(compared: Make, use: str, said: str | None) -> None:
    warnings = compare_teachers(compared([0.5] * 2, [0.5] * 2, use=use))["warnings"]
    assert any(said in each for each in warnings) if said else "marked" not in " ".join(warnings)


def test_held_out_cases_without_an_aneurysm(compared: Make, scored: Any) -> None:
    none = [scored("1", 1.0, (), sensitivity=math.nan)]
    cases = [Case("p", "A", Path("i"), Path("l"), "test")]
    report = compare_teachers(Compared([1], cases, none, none))
    assert "No held-out case has an aneurysm" in " ".join(report["warnings"])
    assert report["summary"]["new"]["sensitivity"] is None
    json.dumps(report, allow_nan=False)


def test_forgetting(compared: Make) -> None:
    better = compared([0.5] * 6, [0.6] * 6)
    report = compare_teachers(better, compared([0.8] * 2, [0.6] * 2, use=""))
    assert report["verdict"] == "better"
    (warning,) = report["warnings"]
    assert warning.startswith("The new model has forgotten part of what its start knew")
    assert "0.600 instead of 0.800" in warning
    assert len(report["replay"]["cases"]) == 2
    assert report["replay"]["summary"]["start"]["aneurysm_dice"] == pytest.approx(0.8)
    assert not compare_teachers(better, compared([0.8] * 2, [0.8] * 2))["warnings"]


def test_page(compared: Make) -> None:
    report = compare_teachers(compared([0.5] * 3, [0.7] * 3), compared([0.8], [0.8]))
    names = {which: {"name": f"{which} one", "sha256": "ab" * 32} for which in ("start", "new")}
    page = comparison_page({"teachers": names, **report})
    assert page.startswith("**The new model is better than its start on 3 held-out cases (mean")
    assert "- Only 3 patients were held out" in page
    assert "start: start one (abababababab), new: new one (abababababab)" in page
    assert "| aneurysm Dice, mean | 0.5 | 0.7 |" in page
    assert "| missed of 3 that are 5 to 10 mm | 0 | 0 |" in page
    assert "| surface distance (HD95, mm), mean of 3 cases | 1 | 1 |" in page
    assert "| 3 | 3 | A | 1 | 0.5 | 0.7 | 0 | 0 | 0 | 0 | 1 | 1 |" in page
    assert "| cases: 1, patients: 1, aneurysms: 1 | start | new |" in page
