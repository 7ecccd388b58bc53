"""What the sections of both panels do with their widgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

ERROR_STYLE = "color: #d33"
"""A red that can be read on light and on dark windows; ours."""


def showText(label: Any, text: str, isError: bool = False) -> None:
    """Show a sentence in a QLabel, an error in red; it stays until the next one."""
    label.styleSheet = ERROR_STYLE if isError else ""
    label.text = text


def enable(widget: Any, usual: str, problem: str = "") -> None:
    """Enable a widget, with its usual tooltip, unless a problem forbids it; the tooltip says so."""
    widget.enabled = not problem
    widget.toolTip = problem or usual


def fillBox(box: Any, titles: Sequence[str], index: int) -> None:
    """Put titles into a QComboBox instead of those before, and choose one; tells of no change."""
    wasBlocked = box.blockSignals(True)
    box.clear()
    box.addItems(titles)
    box.currentIndex = index
    box.blockSignals(wasBlocked)
