"""The panel's view into a run's folder: the newest picture, and the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from GSEMATrainingLib.run.RunFolder import RunFolder

THUMBNAIL_WIDTH = 360
"""Pixels; fits into a panel of 420 pixels. Ours."""


class RunFiles:
    """Shows what has changed in the folder since the last look.

    Args:
        ui: the panel's widgets.
    """

    def __init__(self, ui: Any) -> None:
        self.ui = ui
        self._thumbnail: tuple[int, Path] | None = None
        self._logText = ""

    def forget(self) -> None:
        """Begin with another folder."""
        self._thumbnail, self._logText = None, ""
        self.ui.logTextEdit.clear()

    def show(self, folder: RunFolder) -> None:
        """Show the picture and the log as they are now."""
        self._showThumbnail(folder.newestThumbnail())
        self._showLog(folder.logText())

    def _showThumbnail(self, newest: tuple[int, Path] | None) -> None:
        if newest == self._thumbnail:
            return
        self._thumbnail = newest
        pixmap = qt.QPixmap(str(newest[1])) if newest is not None else qt.QPixmap()
        if not pixmap.isNull():
            smooth = qt.Qt.SmoothTransformation
            pixmap = pixmap.scaledToWidth(min(THUMBNAIL_WIDTH, 4 * pixmap.width()), smooth)
        self.ui.thumbnailLabel.setPixmap(pixmap)
        self.ui.thumbnailInfoLabel.visible = not pixmap.isNull()
        if newest is not None:
            text = _("Step {step}: green the reference, orange the model, aneurysms brighter.")
            self.ui.thumbnailInfoLabel.text = text.format(step=newest[0])

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
