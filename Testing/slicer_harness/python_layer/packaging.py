"""``slicer.packaging``: installing Python packages, as in Slicer from 5.12 on.

Its own behavior that matters: a failure shows a box unless ``show_progress`` is False or nobody is
there (testing mode), and raises all the same; RuntimeError where Slicer's Python is not found.
"""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CalledProcessError
from typing import Any

import slicer
import slicer.util

__all__ = ["pip_install"]


def pip_install(
    requirements: str | list[str],
    constraints: Any = None,
    no_deps_requirements: Any = None,
    skip_packages: list[str] | None = None,
    blocking: bool = True,
    show_progress: bool = True,
    requester: str | None = None,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> None:
    """Run ``pip install`` in a process of its own and wait for it."""
    if type(requirements) not in (str, list):
        raise ValueError("pip_install requirement input must be string or list")
    if not blocking or constraints or no_deps_requirements or skip_packages:
        raise NotImplementedError("the harness has only what the modules use of pip_install")
    given = requirements.split() if isinstance(requirements, str) else requirements
    try:
        slicer.util.executePythonModule("pip", ["install", *given], blocking=True)
    except CalledProcessError:
        if show_progress and not slicer.app.testingEnabled():
            title = f"{requester} - Installation Failed" if requester else "Installation Failed"
            slicer.util.errorDisplay("Package installation failed.", windowTitle=title)
        raise
