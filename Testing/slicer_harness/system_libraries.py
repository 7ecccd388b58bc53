"""The system's OpenGL libraries, without which Qt's widgets and VTK's rendering do not load."""

from __future__ import annotations

import ctypes
from pathlib import Path

PACKAGES = " ".join(Path(__file__).with_name("system_packages.txt").read_text().split())
"""Debian's and Ubuntu's packages; Testing/install_system_packages.sh reads the same list."""

INSTALL_COMMAND = "sudo apt-get install --yes --no-install-recommends " + PACKAGES

_LIBRARIES = (
    "libEGL.so.1",
    "libGL.so.1",
    "libxkbcommon.so.0",
    "libdbus-1.so.3",
    "libfontconfig.so.1",
)


def missing_libraries() -> list[str]:
    """Names of the shared libraries that cannot be loaded; empty when everything is there."""
    missing = []
    for library in _LIBRARIES:
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(library)
    return missing
