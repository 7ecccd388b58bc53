"""Where the Python package gsema_core is, and which Python runs it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path


def coreRoot() -> Path:
    """Make gsema_core importable and return the folder it lies in.

    An installed extension has it beside the modules. Where the folders of a source checkout stand
    on "Additional module paths", it is two levels up, which Slicer does not search.

    Raises:
        ImportError: it is in neither place.
    """
    found = importlib.util.find_spec("gsema_core")
    if found is None:
        checkout = Path(__file__).resolve().parents[3]
        if not (checkout / "gsema_core" / "__init__.py").is_file():
            raise ImportError(
                "The Python package gsema_core is missing: install the AneurysmSegmentation "
                "extension again, or keep the modules inside their source checkout."
            )
        sys.path.append(str(checkout))
        return checkout
    assert found.origin is not None
    return Path(found.origin).resolve().parents[1]


def pythonVariables() -> dict[str, str]:
    """Environment variables for our own processes: gsema_core is importable, text is UTF-8."""
    paths = [str(coreRoot()), os.environ.get("PYTHONPATH", "")]
    return {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONUTF8": "1",  # paths and names may hold any character
        "PYTHONUNBUFFERED": "1",  # a line must not wait
    }


def pythonExecutable() -> str:
    """The Python interpreter for our own processes.

    Slicer puts its ``PythonSlicer`` on the PATH; a plain Python that runs these modules (as the
    tests do) takes itself.

    Raises:
        RuntimeError: neither is there.
    """
    found = shutil.which("PythonSlicer")
    if found:
        return found
    if Path(sys.executable).stem.lower().startswith("python"):
        return sys.executable
    raise RuntimeError(
        "Slicer's Python interpreter (PythonSlicer) was not found on the PATH: start Slicer with "
        "its own launcher."
    )
