"""The paper's table beside ours, on scores that were made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gsema_core.benchmark.beside_the_paper import CLAIMS, COLUMNS, beside_the_paper, check_claims
from gsema_core.benchmark.rows import ROWS
from gsema_core.benchmark.scores import Scores

ROWS_HERE = ("no_ema", "ema", "gs_ema", "gs_ema_bacl")


@pytest.fixture
def scores():
    """GS-EMA is worse than EMA in all 14 patients, the others as the paper says."""
    better = {"no_ema": 0.0, "ema": 0.1, "gs_ema": 0.05, "gs_ema_bacl": 0.2}
    made = {}
    for row in ROWS_HERE:
        for start, center in ((0, "A"), (7, "B")):
            dice = np.linspace(0.1, 0.7, 7) + better[row] + 0.001 * np.arange(7)
            values = dict.fromkeys(COLUMNS, dice)
            made[row, center] = Scores(
                values, np.zeros((7, 2)), dice, dice, [*range(start, start + 7)], 1
            )
    return made


def test_every_row_of_the_papers_table_is_here_to_its_digits():
    assert ROWS["nnunet"].paper == {
        "dice": 59.61, "sensitivity": 57.51, "jaccard": 47.38, "volume_similarity": 70.91
    }  # fmt: skip
    assert ROWS["gs_ema"].paper == ROWS["gs_ema_bacl_v"].paper  # as the paper prints them
    assert all(set(row.paper) == set(COLUMNS) for row in ROWS.values())
    for better, worse in CLAIMS:
        assert ROWS[better].paper["dice"] > ROWS[worse].paper["dice"]


def test_each_claim_has_a_verdict_of_its_own(scores):
    claims = {(c.better, c.worse): c for c in check_claims(ROWS_HERE, ["A", "B"], scores)}
    assert claims["ema", "no_ema"].verdict == "reproduced"
    assert claims["gs_ema", "ema"].verdict == "the opposite"
    assert claims["gs_ema_bacl", "gs_ema"].test.mean_difference == pytest.approx(0.15)
    assert claims["gs_ema_bacl", "gs_ema"].interval == pytest.approx((0.15, 0.15))
    assert all(c.test.patients == 14 and c.test.p_holm == 3 * c.test.p for c in claims.values())


def test_what_chance_may_do_is_not_decided(scores):
    alike = scores["ema", "A"]
    dice = alike.values["dice"] + np.array([0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.02])
    scores["gs_ema", "A"] = replace(alike, values=dict.fromkeys(COLUMNS, dice))
    (claim,) = check_claims(("ema", "gs_ema"), ["A"], scores)
    assert claim.verdict == "not decided" and claim.test.p > 0.05


def test_the_page_has_columns_order_and_a_paragraph(make_plan, scores):
    plan = make_plan(rows=ROWS_HERE)
    page = "\n".join(beside_the_paper(plan, ["A", "B"], scores))
    (ema,) = [line for line in page.splitlines() if line.startswith("| EMA |")]
    assert "| 50.3 (" in ema and "| 64.7 |" in ema and ema.endswith("| 2 | 3 |")
    # no EMA < GS-EMA < EMA < BACL: of six pairs one is turned
    assert page.count("0.667 (0.667 to 0.667)") == 3  # Sen of the paper has another order
    assert "Of 3 claims, reproduced: EMA over no EMA; GS-EMA + BACL over GS-EMA." in page
    assert (
        "the other way round: GS-EMA over EMA." in page
        and "Not decided (patients: 14): none." in page
    )


def test_one_row_of_the_papers_has_nothing_beside_it(make_plan, scores):
    assert not list(beside_the_paper(make_plan(rows=("ema",)), ["A"], scores))
    assert not list(beside_the_paper(make_plan(rows=ROWS_HERE), [], scores))
