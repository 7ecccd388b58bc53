"""Installs what is missing, after one question, and goes on after a restart."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.install.Requirements import (
    PACKAGES,
    TORCH,
    Package,
    VersionOf,
    missingPackages,
)
from GSEMASegmentationLib.install.TorchExtension import installTorchWithExtension
from GSEMASegmentationLib.install.Wheels import checkedFolder

PENDING = "GSEMASegmentation/InstallationPending"
KEPT = ("numpy", "scipy", "SimpleITK", "torch")
"""Packages that pip must leave as they are: Slicer's own, and the PyTorch that fits the machine."""


class Installer:
    """Asks once, lists packages and sizes, installs; nothing happens before.

    Args:
        versionOf: which version of a package is installed; None looks for it.
        pipInstall: runs ``pip install`` with these arguments, or raises what Slicer's does.
        confirm: shows the question, returns whether the user agrees.

    Attributes:
        isInstalling: whether pip is at work; the application takes clicks meanwhile.
    """

    def __init__(
        self,
        versionOf: VersionOf | None = None,
        pipInstall: Callable[[list[str]], None] | None = None,
        confirm: Callable[[str], bool] | None = None,
    ) -> None:
        self._versionOf = versionOf
        self._pipInstall = pipInstall or pipInstallQuietly
        self._confirm = confirm or askUser
        self.isInstalling = False

    @property
    def isPending(self) -> bool:
        """Whether an installation was begun and not finished."""
        value = slicer.app.userSettings().value(PENDING, "")
        return str(value) == "yes" and bool(missingPackages(self._versionOf))

    def install(
        self, wheelFolder: str = "", onStart: Callable[[Sequence[Package]], None] = lambda _: None
    ) -> bool:
        """Install what is missing; what is there already is not touched.

        Args:
            wheelFolder: a folder of wheels to install from, without a network; empty for the
                package index.
            onStart: called with what is missing when the user has agreed.

        Returns:
            Whether everything is there now; False where the user said no.

        Raises:
            UserError: it did not work; the next try goes on from there.
        """
        missing = missingPackages(self._versionOf)
        if not missing:
            return True
        folder = checkedFolder(wheelFolder)
        if not self._confirm(question(missing, folder)):
            return False
        self.isInstalling = True
        try:
            onStart(missing)
            self._install(missing, folder)
        finally:
            self.isInstalling = False
        return True

    def _install(self, missing: Sequence[Package], folder: Path | None) -> None:
        settings = slicer.app.userSettings()
        settings.setValue(PENDING, "yes")
        if TORCH in missing:
            ours = {package.name for package in PACKAGES}
            installTorchWithExtension(TORCH.requirement, folder, ours, self._pip)
        self._pip([one.requirement for one in missing if one is not TORCH], folder)
        importlib.invalidate_caches()
        still = missingPackages(self._versionOf)
        if still:
            raise UserError(
                _("{packages} cannot be found yet: restart Slicer and press Install again.").format(
                    packages=", ".join(package.title for package in still)
                )
            )
        settings.remove(PENDING)

    def _pip(
        self, requirements: Sequence[str], folder: Path | None, dependencies: bool = False
    ) -> None:
        if not requirements:
            return
        with tempfile.TemporaryDirectory(prefix="gsema-", dir=slicer.app.temporaryPath) as kept:
            constraints = Path(kept) / "constraints.txt"
            constraints.write_text("\n".join(_pins()) + "\n", encoding="utf-8")
            arguments = ["--constraint", str(constraints)]
            arguments += [] if dependencies else ["--no-deps"]
            arguments += [] if folder is None else ["--no-index", "--find-links", str(folder)]
            try:
                self._pipInstall(arguments + list(requirements))
            except (subprocess.CalledProcessError, OSError, RuntimeError, ValueError) as error:
                raise UserError(
                    _(
                        "{packages} could not be installed ({reason}): look into the Python "
                        "console, check the network or the folder of wheels, and try again."
                    ).format(packages=", ".join(map(_title, requirements)), reason=error)
                ) from None


def _title(requirement: str) -> str:
    return next((one.title for one in PACKAGES if one.requirement == requirement), requirement)


def pipInstallQuietly(arguments: list[str]) -> None:
    """Run ``pip install`` in Slicer, which shows no box of its own where that fails.

    Raises:
        subprocess.CalledProcessError, RuntimeError: it did not work.
    """
    if importlib.util.find_spec("slicer.packaging") is None:  # before Slicer 5.12
        slicer.util.pip_install(arguments)
    else:
        slicer.util.pip_install(arguments, show_progress=False)


def question(packages: Sequence[Package], folder: Path | None) -> str:
    """What the user is asked before anything is installed."""
    lines = [f"  {package.title} ({package.size})" for package in packages]
    source = (
        _("They come from the package index over the network.")
        if folder is None
        else _("They come from the folder {folder}.").format(folder=folder)
    )
    text = _("These packages are installed into Slicer's Python:\n{packages}\n\n{source}")
    return text.format(packages="\n".join(lines), source=source)


def askUser(text: str) -> bool:
    """Show the question; in an automatic test nobody is there to agree."""
    if slicer.app.testingEnabled():
        return False
    return bool(slicer.util.confirmOkCancelDisplay(text))


def _pins() -> list[str]:
    pins = []
    for name in KEPT:
        try:
            pins.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return pins
