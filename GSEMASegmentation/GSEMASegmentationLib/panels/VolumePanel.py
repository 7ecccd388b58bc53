"""The panel's volume: as the slice views show it, chosen, dropped, or made as a sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from GSEMASegmentationLib.panels.DropTarget import DropTarget
from GSEMASegmentationLib.panels.SamplePanel import SamplePanel
from GSEMASegmentationLib.scene.VolumeFollower import VolumeFollower

SCAN = "vtkMRMLScalarVolumeNode"


class VolumePanel:
    """Keeps the choice in the parameter node.

    Args:
        ui: the panel's widgets.
        parameterNode: the panel's, or None while a scene is closed.
        isBusy: whether the volume may not change by itself now.
        onStatus: called with a sentence for the user, and whether it is an error.
    """

    def __init__(
        self,
        ui: Any,
        parameterNode: Callable[[], Any],
        isBusy: Callable[[], bool],
        onStatus: Callable[[str, bool], None],
    ) -> None:
        self._parameterNode, self._onStatus = parameterNode, onStatus
        self.sample = SamplePanel(ui, onStatus, self.choose)
        self.follower = VolumeFollower(
            lambda: self.current, lambda: parameterNode() is None or isBusy(), self.choose
        )
        self._drop = DropTarget(ui.inputSelector, None, self._onDropped)

    @property
    def current(self) -> Any:
        """The chosen volume, or None."""
        node = self._parameterNode()
        return None if node is None else node.inputVolume

    def choose(self, volumeNode: Any) -> None:
        """Choose a volume."""
        node = self._parameterNode()
        if node is not None:
            node.inputVolume = volumeNode

    def stop(self) -> None:
        """The panel goes away."""
        self.sample.stop()
        self.follower.stop()

    def _onDropped(self, nodes: list[Any]) -> None:
        scans = [node for node in nodes if node.GetClassName() == SCAN]
        if scans:
            self.choose(scans[0])
        else:
            text = _("{name} is not a volume: drop an angiography.")
            self._onStatus(text.format(name=nodes[0].GetName()), True)
