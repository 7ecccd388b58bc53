"""The panel's button that writes the lumen's wall for flow simulations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.panels.Widgets import enable, showText
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic
from GSEMASegmentationLib.worker.SurfaceExport import SurfaceOutcome

ML_PER_MM3 = 1e-3


class SurfacePanel:
    """Writes one surface at a time and says what is in it.

    Args:
        ui: the panel's widgets.
        logic: exports.
    """

    def __init__(self, ui: Any, logic: GSEMASegmentationLogic) -> None:
        self.ui = ui
        self._logic = logic
        self._segmentation: Any = None
        self.ui.exportSurfaceButton.connect("clicked(bool)", lambda _checked: self._onButton())
        self._update()

    def show(self, segmentationNode: Any) -> None:
        """Offer to export another segmentation; what was said of the one before is gone."""
        if segmentationNode is not self._segmentation and not self._logic.isExporting:
            self._say("")
        self._segmentation = segmentationNode

    def _onButton(self) -> None:
        title, pattern = _("Export the surface"), _("Surfaces (*.vtp *.ply *.stl)")
        path = qt.QFileDialog.getSaveFileName(None, title, "lumen.vtp", pattern)
        if not path:
            return
        self._say(_("Making the surface..."))
        try:
            self._logic.exportSurface(
                self._segmentation,
                path,
                blocking=False,
                onDone=lambda outcome: self._onDone(Path(path).name, outcome),
            )
        except UserError as error:
            self._say("")
            slicer.util.errorDisplay(str(error))
        self._update()

    def _onDone(self, name: str, outcome: SurfaceOutcome) -> None:
        self._update()
        if outcome.message:
            self._say(outcome.message, isError=True)
            return
        text = _("{name}: {triangles} triangles, {volume:.2f} ml, {ends} open ends.").format(
            name=name,
            triangles=outcome.report["triangles"],
            volume=outcome.report["volume_mm3"] * ML_PER_MM3,
            ends=len(outcome.report["open_ends"]),
        )
        self._say(" ".join([text, *outcome.report["notes"]]))

    def _say(self, text: str, isError: bool = False) -> None:
        showText(self.ui.surfaceLabel, text, isError)
        self.ui.surfaceLabel.visible = bool(text)

    def _update(self) -> None:
        usual = _(
            "Write the wall of vessels and aneurysms as a surface for flow simulations: smooth, "
            "with the vessels' ends cut flat and open."
        )
        running = _("A surface is being made: wait for its end.") if self._logic.isExporting else ""
        enable(self.ui.exportSurfaceButton, usual, running)
