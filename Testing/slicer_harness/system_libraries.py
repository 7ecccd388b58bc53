"""The system's OpenGL libraries, without which Qt's widgets and VTK's rendering do not load."""

from __future__ import annotations

import ctypes

PACKAGES = (
    "libdbus-1-3 libegl1 libfontconfig1 libgl1 libgl1-mesa-dri libglib2.0-0 libglx-mesa0 "
    "libxkbcommon-x11-0"
)
"""Debian's and Ubuntu's packages."""

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
