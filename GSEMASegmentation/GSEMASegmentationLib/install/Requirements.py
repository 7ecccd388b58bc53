"""What a segmentation needs besides what Slicer brings, seen without importing any of it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slicer.i18n import tr as _

from gsema_core.errors import UserError


@dataclass(frozen=True)
class Package:
    """A Python package.

    Attributes:
        title: as people write it.
        name: for pip and for import.
        requirement: for pip; as in pyproject.toml.
        size: of its download, in words; looked up for the versions of 2025.
    """

    title: str
    name: str
    requirement: str
    size: str


TORCH = Package("PyTorch", "torch", "torch>=2.4", "0.2 GB for the CPU, up to 3 GB for a GPU")
PACKAGES = (
    TORCH,
    Package("MONAI", "monai", "monai>=1.5.1,<1.7", "3 MB"),
    Package("einops", "einops", "einops>=0.7", "0.1 MB"),
    Package("safetensors", "safetensors", "safetensors>=0.4.3", "0.5 MB"),
)

VersionOf = Callable[[Package], str | None]
"""The version of a package that is installed, or None."""


def installedVersion(package: Package) -> str | None:
    """Look for a package without importing it."""
    try:
        if importlib.util.find_spec(package.name) is None:
            return None
        return importlib.metadata.version(package.name)
    except (ImportError, ValueError):  # half removed, or without metadata
        return None


def missingPackages(versionOf: VersionOf | None = None) -> list[Package]:
    """What is not there, or in a version that does not fit."""
    find = versionOf or installedVersion
    return [package for package in PACKAGES if not _fits(package, find(package))]


def requirePackages() -> None:
    """Raise UserError, one sentence on what to do, unless everything is there."""
    missing = missingPackages()
    if missing:
        raise UserError(
            _(
                "A segmentation needs {packages}: press Install in the section Status and "
                "installation of the Aneurysm Segmentation module."
            ).format(packages=_titles(missing))
        )


def packagesText(versionOf: VersionOf | None = None) -> str:
    """What is installed and what is missing, for the panel."""
    find = versionOf or installedVersion
    missing = missingPackages(find)
    there = [f"{one.title} {find(one)}" for one in PACKAGES if one not in missing]
    lines = []
    if there:
        lines.append(_("Installed: {packages}.").format(packages=", ".join(there)))
    if missing:
        lines.append(_("Missing: {packages}.").format(packages=_titles(missing)))
    if (find(TORCH) or "").startswith("2.9."):
        lines.append(
            _("PyTorch 2.9 is several times slower than others here: 2.8 or 2.10 is better.")
        )
    return "\n".join(lines)


def _titles(packages: Sequence[Package]) -> str:
    return ", ".join(package.title for package in packages)


def _fits(package: Package, version: str | None) -> bool:
    from packaging.requirements import Requirement  # comes with Slicer

    specifier = Requirement(package.requirement).specifier
    return version is not None and specifier.contains(version, prereleases=True)
