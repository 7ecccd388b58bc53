"""What the sections of both panels do with their widgets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from GSEMASegmentationLib.panels.ModuleIcon import isDark

ERROR_COLORS = {False: "#c62828", True: "#ff7b72"}
"""Reds for light and for dark windows; ours, with the contrast of at least 4.5 to 1 that WCAG 2.1
asks of text."""

LONGEST_WORD = 32
"""Letters that a line of a panel of 420 pixels has room for; ours."""

_USUAL = "usualToolTip"


def showText(label: Any, text: str, isError: bool = False) -> None:
    """Show a sentence in a QLabel, an error in red; it stays until the next one.

    Words that no line has room for are shortened; then the tooltip has the whole sentence.
    """
    label.styleSheet = f"color: {ERROR_COLORS[isDark()]}" if isError else ""
    label.text = shortened(text)
    if label.property(_USUAL) is None:
        label.setProperty(_USUAL, label.toolTip)
    label.toolTip = label.property(_USUAL) if label.text == text else text


def shortened(text: str) -> str:
    """The text with the middle of very long words left out; lines break at blanks, / and -."""
    half = LONGEST_WORD // 2
    return re.sub(
        rf"[^\s/\\-]{{{LONGEST_WORD + 1},}}",
        lambda found: f"{found[0][:half]}…{found[0][-half:]}",
        text,
    )


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
