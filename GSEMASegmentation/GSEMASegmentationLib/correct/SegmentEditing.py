"""Slicer's Segment Editor, opened on an aneurysm, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM, VESSEL
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing

MODULE = "GSEMASegmentation"


class SegmentEditing:
    """One visit of the Segment Editor at a time.

    Painting an aneurysm takes from the vessel, and the other way round: the editor overwrites what
    is visible. Segments that are neither are hidden for the time of the visit, so that the brush
    spares them; ``end`` shows them again and gives the editor back its masking.
    """

    def __init__(self) -> None:
        self._button: Any = None
        self._putBack: list[Callable[[], None]] = []

    def begin(self, segmentationNode: Any, segmentId: str, volumeNode: Any) -> list[str]:
        """Open the Segment Editor.

        Args:
            segmentationNode: what is edited.
            segmentId: the segment that is selected; empty for the first one.
            volumeNode: what thresholds and brushes look at; None leaves the editor's own.

        Returns:
            The names of the segments that are hidden meanwhile.

        Raises:
            UserError: there is no Segment Editor, or no window to show it in.
        """
        self.end()
        widget = _editorWidget()
        try:
            slicer.util.selectModule("SegmentEditor")
        except RuntimeError as error:
            raise UserError(
                _("The Segment Editor could not be opened ({reason}).").format(reason=error)
            ) from error
        # Now it has a parameter node, also after the scene was closed.
        editor = widget.self().editor
        editor.setSegmentationNode(segmentationNode)
        if volumeNode is not None:
            editor.setSourceVolumeNode(volumeNode)
        if segmentId:
            editor.setCurrentSegmentID(segmentId)
        hidden = self._hideOthers(segmentationNode)
        self._setMasking(editor.mrmlSegmentEditorNode())
        self._addButton(widget)
        return hidden

    def end(self) -> None:
        """Put everything back; the segments stay as they were drawn. Nothing where none began."""
        for putBack in self._putBack:
            putBack()
        self._putBack = []
        if self._button is not None:
            self._button.hide()
            self._button.deleteLater()
            self._button = None

    def _hideOthers(self, segmentationNode: Any) -> list[str]:
        segmentation = segmentationNode.GetSegmentation()
        display = segmentationNode.GetDisplayNode()
        if display is None:
            return []
        ours = {
            *segmentsShowing(segmentationNode, ANEURYSM),
            *segmentsShowing(segmentationNode, VESSEL),
        }
        others = [
            one
            for one in segmentation.GetSegmentIDs()
            if one not in ours and display.GetSegmentVisibility(one)
        ]

        def show() -> None:
            for one in others:
                if segmentation.GetSegment(one) is not None:
                    display.SetSegmentVisibility(one, True)

        for one in others:
            display.SetSegmentVisibility(one, False)
        self._putBack.append(show)
        return [segmentation.GetSegment(one).GetName() for one in others]

    def _setMasking(self, editorNode: Any) -> None:
        """Edit everywhere, and overwrite what is visible."""
        if editorNode is None:
            return
        before = editorNode.GetOverwriteMode(), editorNode.GetMaskMode()
        ours = (
            editorNode.OverwriteVisibleSegments,
            slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere,
        )

        def restore() -> None:
            # What the user has chosen meanwhile stays.
            if (editorNode.GetOverwriteMode(), editorNode.GetMaskMode()) == ours:
                editorNode.SetOverwriteMode(before[0])
                editorNode.SetMaskMode(before[1])

        editorNode.SetOverwriteMode(ours[0])
        editorNode.SetMaskMode(ours[1])
        self._putBack.append(restore)

    def _addButton(self, widget: Any) -> None:
        """On top of the editor's panel, until the user is back."""
        self._button = qt.QPushButton(_("Back to Aneurysm Segmentation"))
        self._button.toolTip = _("Go back; what was edited is measured again.")
        self._button.connect("clicked(bool)", _goBack)
        widget.layout().insertWidget(0, self._button)


def _editorWidget() -> Any:
    """The panel of the Segment Editor.

    Raises:
        UserError: this Slicer has none.
    """
    module = getattr(slicer.modules, "segmenteditor", None)
    widget = module and module.widgetRepresentation()
    if widget is None:
        raise UserError(_("This Slicer has no Segment Editor: correct the segments elsewhere."))
    return widget


def _goBack(isChecked: bool) -> None:
    slicer.util.selectModule(MODULE)
