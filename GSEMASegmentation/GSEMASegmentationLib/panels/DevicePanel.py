"""The panel's section on this computer: the device, and how long a run takes there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from GSEMASegmentationLib.panels.DeviceText import DEVICES, deviceText, rememberMeasurement
from GSEMASegmentationLib.panels.Widgets import showText
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic

DEVICE_SETTING = "GSEMASegmentation/Device"


class DevicePanel:
    """Shows and changes the choices, which are kept in the application's settings.

    Args:
        ui: the panel's widgets.
        logic: asks the worker.
        onChanged: called when something was chosen or found out.
    """

    def __init__(self, ui: Any, logic: GSEMASegmentationLogic, onChanged: Callable[[], None]):
        self.ui = ui
        self._logic, self._onChanged = logic, onChanged
        self._teacher = ""
        settings = slicer.app.userSettings()
        device = settings.value(DEVICE_SETTING, DEVICES[0])
        self.ui.deviceComboBox.currentIndex = DEVICES.index(device) if device in DEVICES else 0
        self.ui.deviceComboBox.connect("currentIndexChanged(int)", self._onChosen)
        self.ui.checkDeviceButton.connect("clicked(bool)", self._onCheck)

    @property
    def device(self) -> str:
        """What the worker is told."""
        return DEVICES[self.ui.deviceComboBox.currentIndex]

    def update(self, volumeNode: Any, teacher: str, overlap: float) -> None:
        """Show what runs the network, and how long it takes for this volume."""
        self._teacher = teacher
        text = deviceText(volumeNode, teacher, self.device, overlap)
        showText(self.ui.deviceInfoLabel, text)

    def _onChosen(self) -> None:
        settings = slicer.app.userSettings()
        settings.setValue(DEVICE_SETTING, self.device)
        self._onChanged()

    def _onCheck(self) -> None:
        self.ui.checkDeviceButton.enabled = False
        showText(self.ui.deviceInfoLabel, _("Measuring..."))
        teacher = self._teacher
        self._logic.measureDevice(
            teacher, self.device, lambda found, message: self._onMeasured(teacher, found, message)
        )

    def _onMeasured(self, teacher: str, found: dict[str, Any], message: str) -> None:
        self.ui.checkDeviceButton.enabled = True
        if not message:
            rememberMeasurement(teacher, found)
        self._onChanged()
        if message:
            showText(self.ui.deviceInfoLabel, message)
