"""The panel's view into a run's folder: the newest picture, and the log."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from GSEMATrainingLib.run.RunFolder import RunFolder

PICTURE_WIDTH = 380
"""Pixels; fits into a panel of 420 pixels. Ours."""


class RunFiles:
    """Shows what has changed in the folder since the last look.

    Args:
        ui: the panel's widgets.
    """

    def __init__(self, ui: Any) -> None:
        self.ui = ui
        self._pictures: tuple[int, dict[int, Path]] | None = None
        self._logText = ""
        self.ui.pictureComboBox.connect("currentIndexChanged(int)", self._onCase)

    def forget(self) -> None:
        """Begin with another folder."""
        self._pictures, self._logText = None, ""
        self.ui.logTextEdit.clear()

    def show(self, folder: RunFolder) -> None:
        """Show the picture and the log as they are now."""
        newest = folder.newestPictures()
        if newest != self._pictures:
            self._pictures = newest
            self._listCases(newest[1] if newest else {})
            self._onCase(self.ui.pictureComboBox.currentIndex)
        self._showLog(folder.logText())

    def _listCases(self, pictures: dict[int, Path]) -> None:
        """Offer the cases; the one that was chosen stays chosen."""
        combo = self.ui.pictureComboBox
        chosen = combo.currentText
        names = [_("Case {number}").format(number=number) for number in pictures]
        wasBlocked = combo.blockSignals(True)
        combo.clear()
        combo.addItems(names)
        combo.setCurrentIndex(names.index(chosen) if chosen in names else 0)
        combo.blockSignals(wasBlocked)

    def _onCase(self, index: int) -> None:
        """Show the picture of a case, as a whole in the tooltip."""
        step, pictures = self._pictures or (0, {})
        path = [*pictures.values(), None][index]
        pixmap = qt.QPixmap(str(path)) if path is not None else qt.QPixmap()
        self.ui.pictureInfoLabel.visible = not pixmap.isNull()
        if not pixmap.isNull():
            pixmap = pixmap.scaledToWidth(
                min(PICTURE_WIDTH, 4 * pixmap.width()), qt.Qt.SmoothTransformation
            )
            self.ui.pictureLabel.toolTip = f'<img src="{html.escape(str(path))}">'
            text = _(
                "Step {step}: above the reference, below the model; vessels red, aneurysms yellow. "
                "Rest the pointer on the picture to see it larger."
            )
            self.ui.pictureInfoLabel.text = text.format(step=step)
        self.ui.pictureLabel.setPixmap(pixmap)

    def _showLog(self, text: str) -> None:
        if text == self._logText:
            return
        edit = self.ui.logTextEdit
        if self._logText and text.startswith(self._logText):
            edit.appendPlainText(text[len(self._logText) :].rstrip("\n"))
        else:
            edit.setPlainText(text.rstrip("\n"))
            edit.verticalScrollBar().setValue(edit.verticalScrollBar().maximum)
        self._logText = text
