"""The panel's button that makes a simulated scan to try the module with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from GSEMASegmentationLib.worker.SampleScan import SampleScan


class SamplePanel:
    """Makes one sample at a time.

    Args:
        ui: the panel's widgets.
        onStatus: called with a sentence for the user, and whether it is an error.
        onMade: called with the new volume node.
    """

    def __init__(
        self, ui: Any, onStatus: Callable[[str, bool], None], onMade: Callable[[Any], None]
    ) -> None:
        self.ui = ui
        self._onStatus, self._onMade = onStatus, onMade
        self.running: SampleScan | None = None
        self.ui.sampleDataButton.connect("clicked(bool)", self._onButton)

    def stop(self) -> None:
        """End what is being made, without a volume."""
        if self.running is not None:
            self.running.stop()

    def _onButton(self) -> None:
        self.ui.sampleDataButton.enabled = False
        self._onStatus(_("Making the sample..."), False)
        self.running = SampleScan(self._onDone)
        self.running.start()

    def _onDone(self, node: Any, message: str) -> None:
        self.running = None
        self.ui.sampleDataButton.enabled = True
        self._onStatus(message, bool(message))
        if node is not None:
            self._onMade(node)
