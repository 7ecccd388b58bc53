"""Names that a package exports without importing the files behind them (PEP 562)."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any


def lazy_exports(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__``.

    The names are stated once: they are what the package's ``__init__.py`` imports of this project
    under ``if TYPE_CHECKING``, where type checkers read them. (``lazy_loader`` does so with a stub
    beside the file, but the Slicer panels import this before anything is installed.)

    Importing ``gsema_core`` happens at every start of Slicer, so what is heavy (torch, monai,
    SimpleITK, scipy) may only be loaded when a name that needs it is first used.

    Args:
        package: the package's ``__name__``.
    """

    @cache
    def exports() -> dict[str, str]:
        source = Path(sys.modules[package].__file__ or "").read_text(encoding="utf-8")
        return {
            alias.name: node.module
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gsema_core.")
            for alias in node.names
            if node.module and node.module != __name__
        }

    def __getattr__(name: str) -> Any:
        if name.startswith("__") or name not in exports():
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(exports()[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted(set(vars(sys.modules[package])) | set(exports()))

    return __getattr__, __dir__
