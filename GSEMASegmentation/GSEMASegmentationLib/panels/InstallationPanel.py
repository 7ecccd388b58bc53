"""The panel's section on what is installed and what it runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ctk
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.install.Installer import Installer
from GSEMASegmentationLib.install.Requirements import missingPackages, packagesText
from GSEMASegmentationLib.panels.Widgets import enable

WHEELS = "GSEMASegmentation/WheelFolder"


class InstallationPanel:
    """Looks at what is installed without importing it, and installs when it is asked to.

    Args:
        ui: the panel's widgets.
        onChanged: called after an installation.
        installer: replaced in tests.
    """

    def __init__(
        self, ui: Any, onChanged: Callable[[], None], installer: Installer | None = None
    ) -> None:
        self.ui = ui
        self._onChanged = onChanged
        self.installer = installer or Installer()
        self.ui.wheelFolderPathLineEdit.filters = ctk.ctkPathLineEdit.Dirs
        self.ui.wheelFolderPathLineEdit.currentPath = slicer.app.userSettings().value(WHEELS, "")
        self.ui.wheelFolderPathLineEdit.connect("currentPathChanged(QString)", self._onFolder)
        self.ui.installButton.connect("clicked(bool)", self._onInstall)
        self.refresh()
        if missingPackages():
            self.ui.installationCollapsibleButton.collapsed = False

    def refresh(self) -> None:
        """Show what is there now."""
        text = packagesText()
        if self.installer.isPending:
            text += "\n" + _("The installation is not finished: press Install to go on.")
        self.ui.packagesLabel.text = text
        nothing = "" if missingPackages() else _("Everything is installed.")
        usual = _("Install the packages that are missing; you are asked first.")
        enable(self.ui.installButton, usual, nothing)

    def _onFolder(self, path: str) -> None:
        slicer.app.userSettings().setValue(WHEELS, path)

    def _onInstall(self) -> None:
        try:
            self.installer.install(self.ui.wheelFolderPathLineEdit.currentPath)
        except UserError as error:
            slicer.util.errorDisplay(str(error))
        self.refresh()
        self._onChanged()
