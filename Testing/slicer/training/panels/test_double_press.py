"""A double click on a button that becomes another one."""

from __future__ import annotations

import pytest


@pytest.fixture
def as_people_do(panel, monkeypatch):
    from GSEMATrainingLib.panels import DoublePress

    monkeypatch.setattr(DoublePress, "SECONDS", 0.5)
    now = [100.0]
    for presses in (panel.train._presses, panel.train._pausePresses):
        monkeypatch.setattr(presses, "_clock", lambda: now[0])
        presses._last = 0.0

    def double_click(button):
        now[0] += 60
        button.click()
        now[0] += 0.2
        button.click()

    return double_click


def test_a_double_click_on_train_does_not_cancel(panel, as_people_do, add_cases, spin, look):
    panel.use("slow")
    add_cases()
    as_people_do(panel.ui.trainButton)
    assert panel.logic.isPreparing
    spin(lambda: not panel.logic.isPreparing, 60)
    spin(lambda: look().isRunning and look().status is not None)
    as_people_do(panel.ui.pauseButton)
    assert panel.train.folder.isPausing
    as_people_do(panel.ui.pauseButton)
    assert not panel.train.folder.isPausing
    as_people_do(panel.ui.trainButton)
    spin(lambda: not look().isRunning, 60)
    as_people_do(panel.ui.trainButton)  # Go on, and not Stop at once
    spin(lambda: look().isRunning and look().status.state == "training", 60)
    assert not panel.train.folder.isStopping
