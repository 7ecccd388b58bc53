"""Asks where to save a file."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer.util
from slicer.i18n import tr as _


def askWhereToSave(title: str, name: str, pattern: str) -> str:
    """Ask, and return the path; empty where the user cancelled.

    A path without the suffix of ``name`` gets it, as the dialogs for opening look for it; the
    dialog has then asked about another file, so an existing one is asked about here.

    Args:
        title: of the dialog.
        name: suggested, with its suffix.
        pattern: of the files that are shown.
    """
    chosen = qt.QFileDialog.getSaveFileName(None, title, name, pattern)
    suffix = Path(name).suffix
    if not chosen or Path(chosen).suffix.lower() == suffix:
        return chosen
    path = f"{chosen}{suffix}"
    question = _("{path} exists already: write over it?").format(path=path)
    if Path(path).exists() and not slicer.util.confirmYesNoDisplay(question):
        return ""
    return path
