"""Our rows beside the paper's Table 1: its columns, its order, and each of its claims tested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gsema_core.benchmark.plan import Plan
from gsema_core.benchmark.rows import OURS, ROWS
from gsema_core.benchmark.scores import Scores
from gsema_core.benchmark.table_text import effect_text, p_text, with_interval
from gsema_core.evaluation.comparison import LEVEL
from gsema_core.evaluation.row_order import kendall_tau, resampled_means, tau_interval
from gsema_core.evaluation.statistics import (
    Comparison,
    Floats,
    bootstrap_interval,
    compare_rows,
    holm,
    means_by_patient,
    with_counts,
)
from gsema_core.text_tables import markdown_table

COLUMNS = {
    "dice": "DSC",
    "sensitivity": "Sen",
    "jaccard": "Jac",
    "volume_similarity": "VS",
}
"""The paper's metrics, as its table calls them."""

CLAIMS = (
    ("ema", "no_ema"),
    ("gs_ema", "ema"),
    ("gs_ema_bacl_b", "gs_ema"),
    (OURS, "gs_ema"),
    (OURS, "gs_ema_bacl_b"),
    *((OURS, rival) for rival in ("cmdg", "feddg", "vaseg", "nnunet")),
)
"""The better and the worse row of each of the paper's steps. Its BACL-V has the numbers of GS-EMA
to the last digit, so that it claims no step between these two."""

FEWEST_ROWS = 3
"""From which on an order says something: two rows are a comparison."""

_NOTES = """In percent, ours on simulated scans or on your own, the paper's on its real ones, so
that numbers differ for that reason too; means of the centers' means with 95 % bootstrap intervals
over patients. Kendall's tau-b: 1 for the paper's order of these rows, -1 for the opposite, 0 for
none; its interval is over the same draws of patients, all rows at once. Rank: 1 is best."""

_CLAIM_NOTES = """Difference of Dice, better minus worse row by the paper, each patient's scans
averaged, with a 95 % bootstrap interval; effect: rank-biserial, 1 where the better row wins in
every patient, -1 where it loses; p: Wilcoxon's signed-rank test, corrected by Holm for all of
these. A claim counts as reproduced, or as the opposite, where p is below 0.05 and mean and ranks
agree; anything else is not decided, which is not the same as no difference."""

Collected = Mapping[tuple[str, str], Scores]


@dataclass(frozen=True)
class Claim:
    """One step of the paper's table, as it came out here."""

    better: str
    worse: str
    interval: tuple[float, float]
    test: Comparison

    @property
    def verdict(self) -> str:
        test = self.test
        if not test.p_holm < LEVEL or test.mean_difference * test.rank_biserial <= 0:
            return "not decided"
        return "reproduced" if test.mean_difference > 0 else "the opposite"


def beside_the_paper(plan: Plan, centers: Sequence[str], scores: Collected) -> Iterator[str]:
    """The parts of a page; none where fewer than two rows of the paper's are finished."""
    rows = [row for row in plan.rows if row in ROWS]
    if len(rows) < 2 or not centers:
        return
    yield f"Beside the paper's Table 1, unseen centers {', '.join(centers)}"
    yield " ".join(_NOTES.split())
    measured = {name: _measured(rows, centers, scores, name) for name in COLUMNS}
    yield markdown_table([_line(plan, rows, row, measured) for row in rows])
    if len(rows) >= FEWEST_ROWS:
        yield markdown_table([_order(rows, name, *measured[name]) for name in COLUMNS])
    claims = check_claims(rows, centers, scores)
    if claims:
        yield "The paper's claims, tested"
        yield " ".join(_CLAIM_NOTES.split())
        yield markdown_table([_claim(plan, claim) for claim in claims])
        yield _in_words(plan, claims)


def check_claims(rows: Sequence[str], centers: Sequence[str], scores: Collected) -> list[Claim]:
    """Those of ``CLAIMS`` whose rows are here, on the patients of all these centers."""
    patients = [n for center in centers for n in scores[rows[0], center].patients]
    claims = []
    for better, worse in CLAIMS:
        if better in rows and worse in rows:
            pair = [_dice(row, centers, scores) for row in (better, worse)]
            test = compare_rows(pair[0].tolist(), {worse: pair[1].tolist()}, patients)[worse]
            differences = means_by_patient(pair[0] - pair[1], patients)
            claims.append(Claim(better, worse, bootstrap_interval(with_counts(differences)), test))
    corrected = holm([claim.test.p for claim in claims])
    return [
        replace(claim, test=replace(claim.test, p_holm=p))
        for claim, p in zip(claims, corrected, strict=True)
    ]


def _dice(row: str, centers: Sequence[str], scores: Collected) -> Floats:
    return np.concatenate([scores[row, center].values["dice"] for center in centers])


def _measured(
    rows: Sequence[str], centers: Sequence[str], scores: Collected, name: str
) -> tuple[Floats, Floats]:
    """Of `resampled_means`, for one metric."""
    tables = [
        (
            np.stack([scores[row, center].values[name] for row in rows], axis=1),
            scores[rows[0], center].patients,
        )
        for center in centers
    ]
    return resampled_means(tables)


def _line(
    plan: Plan, rows: Sequence[str], row: str, measured: Mapping[str, tuple[Floats, Floats]]
) -> dict[str, Any]:
    place = rows.index(row)
    line: dict[str, Any] = {"row": plan.method(row).title}
    for name, short in COLUMNS.items():
        means, draws = measured[name]
        low, high = np.nanpercentile(draws[:, place], (2.5, 97.5))
        line[short] = f"{100 * means[place]:.1f} ({100 * low:.1f} to {100 * high:.1f})"
        line[f"{short}, the paper"] = f"{ROWS[row].paper[name]:.1f}"
    paper = [ROWS[each].paper["dice"] for each in rows]
    line["rank by DSC"] = _rank(measured["dice"][0], place)
    line["rank, the paper"] = _rank(np.array(paper), place)
    return line


def _rank(values: Floats, place: int) -> int:
    """1 for the best; equal values have the better rank of theirs."""
    return 1 + int(np.count_nonzero(values > values[place]))


def _order(rows: Sequence[str], name: str, means: Floats, draws: Floats) -> dict[str, Any]:
    paper = [ROWS[row].paper[name] for row in rows]
    tau = float(kendall_tau(means, paper))
    return {
        "order of the rows by": COLUMNS[name],
        "rows": len(rows),
        "Kendall's tau with the paper's": with_interval(tau, tau_interval(draws, paper)),
    }


def _claim(plan: Plan, claim: Claim) -> dict[str, Any]:
    paper = ROWS[claim.better].paper["dice"] - ROWS[claim.worse].paper["dice"]
    return {
        "the paper's claim": _title(plan, claim),
        "difference, the paper": f"{paper / 100:+.3f}",
        "difference here": with_interval(claim.test.mean_difference, claim.interval),
        "effect": effect_text(claim.test),
        "patients": claim.test.patients,
        "p": p_text(claim.test),
        "verdict": claim.verdict,
    }


def _title(plan: Plan, claim: Claim) -> str:
    return f"{plan.method(claim.better).title} over {plan.method(claim.worse).title}"


def _in_words(plan: Plan, claims: Sequence[Claim]) -> str:
    """What is reproduced and what is not, in a paragraph."""

    def named(verdict: str) -> str:
        found = [_title(plan, claim) for claim in claims if claim.verdict == verdict]
        return "; ".join(found) or "none"

    return (
        f"Of {len(claims)} claims, reproduced: {named('reproduced')}. Came out the other way "
        f"round: {named('the opposite')}. Not decided (patients: {claims[0].test.patients}): "
        f"{named('not decided')}."
    )
