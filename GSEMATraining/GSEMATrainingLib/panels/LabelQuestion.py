"""Asks once what the segments of the scene are."""

from __future__ import annotations

from collections.abc import Mapping

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL

ROW_HEIGHT, MOST_ROWS = 36, 12
"""Pixels of a row, and how many are seen at once; more are scrolled. Ours, for a small laptop."""


def askLabels(guesses: Mapping[str, int]) -> dict[str, int] | None:
    """Show the segments' names with what they seem to be, and let the user correct it.

    Args:
        guesses: name to label value; 0 for neither.

    Returns:
        The same with the user's answers; None where the user cancelled. An automatic test, with
        nobody to ask, gets the guesses.
    """
    if slicer.app.testingEnabled():
        return dict(guesses)
    question = LabelQuestion(guesses)
    accepted = question.dialog.exec_()
    answers = question.answers
    question.dialog.deleteLater()
    return answers if accepted else None


class LabelQuestion:
    """The dialog: one box for each name."""

    def __init__(self, guesses: Mapping[str, int]) -> None:
        self._choices = (
            (_("nothing to learn"), BACKGROUND),
            (_("vessel"), VESSEL),
            (_("aneurysm"), ANEURYSM),
        )
        hasWindow = slicer.app.layoutManager() is not None
        self.dialog = qt.QDialog(slicer.util.mainWindow() if hasWindow else None)
        self.dialog.setWindowTitle(_("What are these segments?"))
        layout = qt.QVBoxLayout(self.dialog)
        layout.addWidget(qt.QLabel(_("The training learns them as:")))
        area = qt.QScrollArea()
        area.widgetResizable = True
        page = qt.QWidget()
        form = qt.QFormLayout(page)
        self._boxes = {}
        for name, guess in guesses.items():
            box = qt.QComboBox()
            box.addItems([title for title, _label in self._choices])
            box.currentIndex = [label for _title, label in self._choices].index(guess)
            form.addRow(f"{name}:", box)
            self._boxes[name] = box
        area.setWidget(page)
        area.setMinimumHeight(ROW_HEIGHT * min(MOST_ROWS, 1 + len(self._boxes)))
        layout.addWidget(area)
        # In Slicer, flags are numbers: the constructor would take them for an orientation.
        buttons = qt.QDialogButtonBox()
        buttons.setStandardButtons(qt.QDialogButtonBox.Ok | qt.QDialogButtonBox.Cancel)
        buttons.connect("accepted()", self.dialog.accept)
        buttons.connect("rejected()", self.dialog.reject)
        layout.addWidget(buttons)

    @property
    def answers(self) -> dict[str, int]:
        return {name: self._choices[box.currentIndex][1] for name, box in self._boxes.items()}
