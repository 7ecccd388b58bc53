"""Figures of a tiny finished benchmark."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from gsema_core.benchmark import run_benchmark
from gsema_core.benchmark.figures import drawing
from gsema_core.benchmark.plan import Cell
from gsema_core.benchmark.records import read_records
from gsema_core.benchmark.scores import Scores, collect

NAMES = ["dice-by-center", "dice-against-volume", "gate-over-steps", "latents", "overlays"]


@pytest.fixture
def plan(make_plan):
    made = make_plan(rows=("ema", "gs_ema"), centers=("B",))
    run_benchmark(made, lambda line: None)
    return made


def needs_figures():
    for name in drawing.NEEDED:
        pytest.importorskip(name)


def test_every_figure_is_drawn_and_says_simulated(plan, monkeypatch):
    needs_figures()
    from gsema_core.benchmark.figures import canvas

    titles = []
    save = canvas.save

    def look(figure, path):
        shown = [figure._suptitle] if figure._suptitle else [a.title for a in figure.axes]
        titles.append(" ".join(each.get_text() for each in shown))
        return save(figure, path)

    monkeypatch.setattr(canvas, "save", look)
    files = drawing.draw_figures(plan, read_records(plan), lambda line: None)
    assert [path.stem for path in files] == NAMES
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in files)
    assert all("simulated" in title for title in titles)


def test_boxes_have_one_box_a_row_and_a_dot_a_case(plan):
    needs_figures()
    from gsema_core.benchmark.figures.dice_by_center import draw_boxes

    (axes,) = draw_boxes(plan, collect(plan, read_records(plan))).axes
    assert len(axes.patches) == 2
    dots = [line for line in axes.lines if line.get_marker() == "."]
    assert [len(line.get_xdata()) for line in dots] == [3, 3]


def test_gate_and_cosine_are_drawn_over_the_logged_steps(plan):
    needs_figures()
    from gsema_core.benchmark.figures.steps import draw_steps

    cosine, gate = draw_steps(plan, plan.cells).axes
    line, *_ = gate.lines
    assert list(line.get_xdata()) == [1, 2, 3]
    assert all(0 <= y <= 1 for y in line.get_ydata())
    assert all(-1 <= y <= 1 for y in cosine.lines[0].get_ydata())


def test_without_the_libraries_a_sentence_says_what_to_install(make_plan, monkeypatch):
    said = []
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "sklearn" else found(name)
    )
    assert drawing.draw_figures(make_plan(), {}, said.append) == []
    assert said == ['No figures were drawn: pip install "gsema_core[benchmark]" and repeat this.']


def test_a_center_is_told_by_latents_that_it_marks_and_not_by_a_patients_own():
    needs_figures()
    from gsema_core.benchmark.figures.latents import center_told

    random = np.random.default_rng(0)
    centers, patients = ["A"] * 320 + ["B"] * 160, np.repeat(np.arange(30), 16)
    mixed = random.normal(size=(480, 8)).astype(np.float32)
    # Each patient far from all others: only their own patches are near, which do not count.
    alone = mixed + 50 * random.normal(size=(30, 8)).astype(np.float32)[patients]
    marked = mixed + 20 * (np.array(centers) == "B")[:, None].astype(np.float32)
    for latents in (mixed, alone):
        told, chance = center_told(latents, centers, patients.tolist())
        assert chance == 0.5 and 0.35 < told.mean < 0.65
    assert center_told(marked, centers, patients.tolist())[0].mean == pytest.approx(1.0)


def test_the_overlays_are_of_three_cases_chosen_by_rule():
    needs_figures()
    from gsema_core.benchmark.figures.overlays import _chosen_cases

    dice = np.array([0.9, 0.1, 0.5, 0.3, 0.7])
    scores = {
        (row, center): Scores({"dice": values}, np.empty((0, 2)), values, values, [*range(5)], 1)
        for center, values in (("A", dice), ("B", dice[:4] - 0.05))
        for row in ("ema", "gs_ema_bacl")
    }
    finished = {c: [Cell(row, c, 0) for row in ("ema", "gs_ema_bacl")] for c in "AB"}
    # In order: .05 B1, .1 A1, .25 B3, .3 A3, .45 B2, .5 A2, .7 A4, .85 B0, .9 A0
    assert _chosen_cases(finished, scores) == [("B", 3), ("B", 2), ("A", 4)]
