"""The panel's choice of the aneurysm that clicks are for."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from gsema_core.labels import ANEURYSM
from GSEMASegmentationLib.click.ClickTarget import NEW
from GSEMASegmentationLib.panels.Widgets import fillBox, shortened
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing
from GSEMASegmentationLib.scene.SegmentNames import numberOfId


class TargetBox:
    """Shown while the mouse clicks: the nearest aneurysm, a new one, or one of those there are.

    Args:
        ui: the panel's widgets.

    Attributes:
        active: the segment that the last click has changed.
    """

    def __init__(self, ui: Any) -> None:
        self.ui = ui
        self.active = ""
        self._node: Any = None
        self._ids = ["", NEW]
        self._filled: tuple[Any, ...] = ()
        self.fill(None, False)

    @property
    def chosen(self) -> str:
        """The segment that is chosen, ``ClickTarget.NEW``, or empty for the nearest one."""
        index = self.ui.targetComboBox.currentIndex
        return self._ids[index] if 0 <= index < len(self._ids) else ""

    def onClicked(self, segmentId: str) -> None:
        """A click has changed this segment: further ones correct a new one."""
        self.active = segmentId
        if self.chosen == NEW:
            self.ui.targetComboBox.currentIndex = 0

    def fill(self, segmentationNode: Any, isClicking: bool) -> None:
        """List the aneurysms of a segmentation; the choice stays where it can."""
        self.ui.targetLabel.visible = self.ui.targetComboBox.visible = isClicking
        names = _names(segmentationNode)
        if segmentationNode is not self._node:
            self.active = ""
        wanted = self.chosen
        if segmentationNode is not self._node or wanted not in ("", NEW, *names):
            wanted = ""
        self._node = segmentationNode
        nearest = _("The nearest, or a new one")
        if self.active in names:
            nearest = _("The nearest (last: {name})").format(name=names[self.active])
        filled = (wanted, nearest, *names.items())
        if filled != self._filled:
            self._filled, self._ids = filled, ["", NEW, *names]
            titles = [nearest, _("A new aneurysm"), *map(shortened, names.values())]
            fillBox(self.ui.targetComboBox, titles, self._ids.index(wanted))


def _names(segmentationNode: Any) -> dict[str, str]:
    """The names of this module's aneurysms, by their ids."""
    if segmentationNode is None:
        return {}
    segmentation = segmentationNode.GetSegmentation()
    ids = segmentsShowing(segmentationNode, ANEURYSM)
    return {
        one: segmentation.GetSegment(one).GetName() for one in ids if numberOfId(one) is not None
    }
