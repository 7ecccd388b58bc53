"""Figures of a tiny finished benchmark."""

from __future__ import annotations

import importlib.util

import pytest

from gsema_core.benchmark import run_benchmark
from gsema_core.benchmark.figures import drawing
from gsema_core.benchmark.records import read_records
from gsema_core.benchmark.scores import collect

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
