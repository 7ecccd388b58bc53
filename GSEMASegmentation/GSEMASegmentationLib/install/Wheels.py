"""What a folder of wheels holds that fits this computer, seen without importing pip."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from gsema_core.errors import UserError

TORCH_WHEELS = ("torch", "torchvision")
"""What the PyTorch extension installs; it always takes both."""


@dataclass(frozen=True)
class Wheel:
    """A file that pip can install here.

    Attributes:
        name: as pip writes it: small letters and hyphens.
        version: a ``packaging.version.Version``.
        path: the file.
    """

    name: str
    version: Any
    path: Path


def checkedFolder(wheelFolder: str) -> Path | None:
    """The folder, None where none is given.

    Raises:
        UserError: it has no wheels.
    """
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


def fittingWheels(folder: Path) -> dict[str, Wheel]:
    """By name, the newest wheel of each package that this computer's Python takes."""
    from packaging.tags import sys_tags  # comes with Slicer
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    known, found = set(sys_tags()), {}
    for path in sorted(folder.glob("*.whl")):
        try:
            name, version, _build, tags = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue
        if tags & known and (name not in found or found[name].version < version):
            found[name] = Wheel(name, version, path)
    return found


def torchWheels(folder: Path, requirement: str) -> list[Wheel]:
    """The wheels of PyTorch and torchvision.

    Args:
        folder: the folder of wheels.
        requirement: what PyTorch has to be, such as ``torch>=2.4``.

    Raises:
        UserError: one of them is not there, or does not fit.
    """
    from packaging.requirements import Requirement

    wheels = fittingWheels(folder)
    missing = [name for name in TORCH_WHEELS if name not in wheels]
    if not missing and not Requirement(requirement).specifier.contains(wheels["torch"].version):
        missing = [requirement]
    if missing:
        raise UserError(
            _(
                "{folder} has no wheel of {packages} for this computer's Python: the PyTorch "
                "extension installs {all} together, so put their wheels there."
            ).format(folder=folder, packages=", ".join(missing), all=_(" and ").join(TORCH_WHEELS))
        )
    return [wheels[name] for name in TORCH_WHEELS]


def absentPackages(folder: Path, ours: set[str]) -> list[str]:
    """Names of what lies in the folder for PyTorch to stand on, and is not installed yet.

    Args:
        folder: the folder of wheels.
        ours: names that are installed in another way.
    """
    return [name for name in fittingWheels(folder) if name not in ours and not _isThere(name)]


def _isThere(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
