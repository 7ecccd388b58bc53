"""What the segments of the scene are: a real dialog, answered by its own buttons."""

from __future__ import annotations

import pytest
import slicer
import slicer.util

GUESSES = {"Left MCA aneurysm": 2, "tree": 0}


@pytest.fixture
def answer(training_module, monkeypatch):
    """Ask as in front of a user, who sets the boxes and then presses; returns the answers."""
    import qt
    from GSEMATrainingLib.panels.LabelQuestion import askLabels

    monkeypatch.setattr(type(slicer.app), "testingEnabled", lambda self: False)

    def ask(press, guesses=GUESSES, choices=()):
        seen = []

        def onShown():
            dialog = qt.QApplication.activeModalWidget()
            boxes = dialog.findChildren(qt.QComboBox)
            for number, choice in choices:
                boxes[number].currentIndex = choice
            seen.append(dialog.height)
            try:
                press(dialog)
            except BaseException:
                dialog.close()  # else it would wait for ever
                raise

        qt.QTimer.singleShot(0, onShown)
        answers = askLabels(guesses)
        assert len(seen) == 1
        return answers

    return ask


def push(text):
    """Press the button of this name, with the mouse's own way in."""

    def press(dialog):
        import qt

        (box,) = dialog.findChildren(qt.QDialogButtonBox)
        (button,) = [one for one in box.buttons() if one.text.replace("&", "") == text]
        button.click()

    return press


def escape(dialog):
    import qt

    for kind in (qt.QEvent.KeyPress, qt.QEvent.KeyRelease):
        event = qt.QKeyEvent(kind, qt.Qt.Key_Escape, qt.Qt.KeyboardModifier(0))
        qt.QCoreApplication.sendEvent(dialog, event)


def test_ok_takes_what_is_chosen(answer):
    assert answer(push("OK")) == GUESSES
    assert answer(push("OK"), choices=[(1, 1)]) == {"Left MCA aneurysm": 2, "tree": 1}


@pytest.mark.parametrize("press", [push("Cancel"), escape, lambda dialog: dialog.close()])
def test_everything_else_cancels(answer, press):
    assert answer(press, choices=[(1, 1)]) is None


def test_many_names_fit_on_a_screen(answer):
    heights = []

    def press(dialog):
        heights.append(dialog.height)
        push("OK")(dialog)

    many = {f"segment {number}": 0 for number in range(117)}
    assert answer(press, many) == many
    assert heights[0] < 700


def test_from_scene_adds_a_case_by_its_buttons(panel, make_case, answer):
    """The whole way from the panel's button, with segments that nobody can guess."""
    make_case("first", ("tree", "sac"))
    panel.cases.askLabels = lambda guesses: answer(push("Cancel"), guesses)
    panel.ui.addSceneButton.click()
    assert panel.cases.cases == []
    panel.cases.askLabels = lambda guesses: answer(push("OK"), guesses, [(0, 1), (1, 2)])
    panel.ui.addSceneButton.click()
    (case,) = panel.cases.cases
    assert case.isUsable and case.aneurysms == 1
    assert panel.ui.trainButton.enabled
