"""The panel's button for a volume under a transform that bends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer.util
from slicer.i18n import tr as _

from GSEMASegmentationLib.scene.Bending import hardenedCopy, isBent


class HardenPanel:
    """Shown only for such a volume, below it.

    Args:
        ui: the panel's widgets.
        onCopy: called with the new volume.
    """

    def __init__(self, ui: Any, onCopy: Callable[[Any], None]) -> None:
        self.ui, self._onCopy = ui, onCopy
        self._volumeNode: Any = None
        self.ui.hardenButton.connect("clicked(bool)", self._onButton)

    def update(self, volumeNode: Any) -> None:
        """Show the button where it helps."""
        self._volumeNode = volumeNode
        self.ui.hardenButton.visible = volumeNode is not None and isBent(volumeNode)

    def _onButton(self) -> None:
        with slicer.util.tryWithErrorDisplay(
            _("The volume could not be hardened."), waitCursor=True
        ):
            self._onCopy(hardenedCopy(self._volumeNode))
