"""Installs what is missing, after one question, and goes on after a restart."""

from __future__ import annotations

import importlib
import importlib.metadata
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.install.Requirements import (
    TORCH,
    Package,
    VersionOf,
    installedVersion,
    missingPackages,
)

PENDING = "GSEMASegmentation/InstallationPending"
KEPT = ("numpy", "scipy", "SimpleITK", "torch")
"""Packages that pip must leave as they are: Slicer's own, and the PyTorch that fits the machine."""


class Installer:
    """Asks once, lists packages and sizes, installs; nothing happens before.

    Args:
        versionOf: which version of a package is installed.
        installTorch: installs the PyTorch that fits the machine, or raises UserError; the default
            goes through the PyTorch extension.
        pipInstall: runs ``pip install`` with these arguments, or raises CalledProcessError.
        confirm: shows the question, returns whether the user agrees.
    """

    def __init__(
        self,
        versionOf: VersionOf | None = None,
        installTorch: Callable[[], None] | None = None,
        pipInstall: Callable[[list[str]], None] | None = None,
        confirm: Callable[[str], bool] | None = None,
    ) -> None:
        self._versionOf = versionOf or installedVersion
        self._installTorch = installTorch or installTorchWithExtension
        self._pipInstall = pipInstall or slicer.util.pip_install
        self._confirm = confirm or askUser

    @property
    def isPending(self) -> bool:
        """Whether an installation was begun and not finished."""
        value = slicer.app.userSettings().value(PENDING, "")
        return str(value) == "yes" and bool(missingPackages(self._versionOf))

    def install(self, wheelFolder: str = "") -> bool:
        """Install what is missing; what is there already is not touched.

        Args:
            wheelFolder: a folder of wheels to install from, without a network; empty for the
                package index.

        Returns:
            Whether everything is there now; False where the user said no.

        Raises:
            UserError: it did not work; the next try goes on from there.
        """
        missing = missingPackages(self._versionOf)
        if not missing:
            return True
        folder = _checked(wheelFolder)
        if not self._confirm(question(missing, folder)):
            return False
        settings = slicer.app.userSettings()
        settings.setValue(PENDING, "yes")
        if TORCH in missing and folder is None:
            self._installTorch()
        elif TORCH in missing:
            self._pip([TORCH], folder, dependencies=True)
        self._pip([package for package in missing if package is not TORCH], folder)
        importlib.invalidate_caches()
        still = missingPackages(self._versionOf)
        if still:
            raise UserError(
                _("{packages} cannot be found yet: restart Slicer and press Install again.").format(
                    packages=", ".join(package.title for package in still)
                )
            )
        settings.remove(PENDING)
        return True

    def _pip(
        self, packages: Sequence[Package], folder: Path | None, dependencies: bool = False
    ) -> None:
        if not packages:
            return
        with tempfile.TemporaryDirectory(prefix="gsema-", dir=slicer.app.temporaryPath) as kept:
            constraints = Path(kept) / "constraints.txt"
            constraints.write_text("\n".join(_pins()) + "\n", encoding="utf-8")
            arguments = ["--constraint", str(constraints)]
            arguments += [] if dependencies else ["--no-deps"]
            arguments += [] if folder is None else ["--no-index", "--find-links", str(folder)]
            try:
                self._pipInstall(arguments + [package.requirement for package in packages])
            except (subprocess.CalledProcessError, OSError) as error:
                raise UserError(
                    _(
                        "{packages} could not be installed ({reason}): look into the Python "
                        "console, check the network or the folder of wheels, and try again."
                    ).format(packages=", ".join(one.title for one in packages), reason=error)
                ) from None


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


def installTorchWithExtension() -> None:
    """Let the PyTorch extension choose and install the build for this machine.

    Raises:
        UserError: the extension is missing, or it did not install PyTorch.
    """
    try:
        torchUtils: Any = importlib.import_module("PyTorchUtils")
    except ModuleNotFoundError:
        raise UserError(
            _(
                "PyTorch comes through the extension PyTorch, which is not installed: install it "
                "in the Extensions Manager, restart Slicer, and press Install again."
            )
        ) from None
    version = TORCH.requirement.removeprefix(TORCH.name)
    try:
        logic = torchUtils.PyTorchUtilsLogic()
        torch = logic.installTorch(askConfirmation=False, torchVersionRequirement=version)
        reason = _("it gave none")
    except Exception as error:  # pip's, that of the import afterwards, or another one of its own
        torch, reason = None, str(error)
    if torch is None:
        raise UserError(
            _(
                "The PyTorch extension did not install PyTorch ({reason}): try it in its own "
                "module PyTorch Utils first."
            ).format(reason=reason)
        )


def _checked(wheelFolder: str) -> Path | None:
    if not wheelFolder:
        return None
    folder = Path(wheelFolder)
    if not any(folder.glob("*.whl")):
        raise UserError(
            _("There are no wheels (*.whl) in {folder}: choose another folder.").format(
                folder=folder
            )
        )
    return folder


def _pins() -> list[str]:
    pins = []
    for name in KEPT:
        try:
            pins.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return pins
