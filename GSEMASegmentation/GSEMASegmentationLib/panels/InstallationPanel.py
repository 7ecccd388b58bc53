"""The panel's section on what is installed and what it runs on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ctk
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.install.Installer import Installer
from GSEMASegmentationLib.install.Requirements import Package, missingPackages, packagesText
from GSEMASegmentationLib.panels.Widgets import enable, showText

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
        isMissing = bool(missingPackages())
        showText(self.ui.packagesLabel, text, isError=isMissing)
        nothing = "" if isMissing else _("Everything is installed.")
        usual = _("Install the packages that are missing; you are asked first.")
        enable(self.ui.installButton, usual, nothing)

    def _onFolder(self, path: str) -> None:
        slicer.app.userSettings().setValue(WHEELS, path)

    def ensure(self, say: Callable[[str], None] = lambda text: None) -> str:
        """Have what is needed for the work, after one question where something is missing.

        Args:
            say: called with a sentence when the installation begins, as it takes long.

        Returns:
            Nothing where all is there, else one sentence on why nothing can be done.
        """

        def onStart(packages: Sequence[Package]) -> None:
            text = _("Installing {packages}; the Python console shows how it goes on...")
            text = text.format(packages=", ".join(package.title for package in packages))
            self.ui.packagesLabel.text = text
            enable(self.ui.installButton, "", text)
            say(text)
            slicer.app.processEvents()

        if self.installer.isInstalling:
            return _("The packages are being installed: wait for the end.")
        try:
            folder = self.ui.wheelFolderPathLineEdit.currentPath
            isThere = self.installer.install(folder, onStart)
        except UserError as error:
            slicer.util.errorDisplay(str(error))
            return str(error)
        finally:
            self.refresh()
        text = _("Nothing was installed and nothing done; {packages} would be needed.")
        missing = ", ".join(package.title for package in missingPackages())
        return "" if isThere else text.format(packages=missing)

    def _onInstall(self) -> None:
        self.ensure()
        self._onChanged()
