"""The panel in all its states, as the pictures of them are made: none is too wide."""

from __future__ import annotations

import runpy
from contextlib import ExitStack
from pathlib import Path

import pytest
import slicer

ROOT = Path(__file__).resolve().parents[4]

WIDEST = 400
"""Pixels: 420, without the bar beside Slicer's module panel and its frame."""

LONG = "a" * 90


@pytest.fixture(scope="module")
def states():
    return runpy.run_path(str(ROOT / "demo" / "training_states.py"))


def width(panel):
    """The least width that Slicer gives the panel room for."""
    widget = panel.parent
    widget.show()
    slicer.app.processEvents()
    return widget.minimumSizeHint().width()


@pytest.mark.parametrize(
    "state",
    ["empty", "cases", "running", "stopping", "ending", "done", "stopped", "failed", "advanced"],
)
def test_no_state_takes_more_than_420_pixels(panel, states, state, tmp_path):
    with ExitStack() as end:
        states["bring_to"](panel, state, tmp_path / LONG, end)
        assert width(panel) <= WIDEST
        panel.ui.installationCollapsibleButton.collapsed = False
        panel.ui.advancedCollapsibleButton.collapsed = False
        assert width(panel) <= WIDEST
    assert state in states["STATES"]


def test_long_words_do_not_widen_the_panel(panel, states, tmp_path):
    with ExitStack() as end:
        states["bring_to"](panel, "done", tmp_path / LONG, end)
        panel.train._explain(f"Could not write {LONG}{LONG}.")
        panel.result._say(LONG * 3)
        panel.ui.casesInfoLabel.text = panel.ui.machineLabel.text = LONG * 3
        for name in ("teacherComboBox", "presetComboBox", "ownTeacherComboBox", "plotComboBox"):
            getattr(panel.ui, name).addItem(LONG * 2)
            getattr(panel.ui, name).visible = True
        panel.ui.teacherCardLabel.text = panel.ui.methodInfoLabel.text = LONG * 2
        panel.ui.presetInfoLabel.text = panel.ui.timeLabel.text = LONG * 2
        panel.ui.nameLineEdit.text = LONG
        assert width(panel) <= WIDEST


def test_a_log_is_shown_from_its_end(panel, states, tmp_path):
    with ExitStack() as end:
        states["bring_to"](panel, "running", tmp_path, end)
        width(panel)
        panel.train._files.forget()
        panel.train.watch.look()
        bar = panel.ui.logTextEdit.verticalScrollBar()
        assert bar.value == bar.maximum > 0
