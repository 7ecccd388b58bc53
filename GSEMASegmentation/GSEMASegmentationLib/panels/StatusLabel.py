"""A label that tells the user how something stands."""

from __future__ import annotations

from typing import Any

ERROR_STYLE = "color: #d33"
"""A red that can be read on light and on dark windows; ours."""


def showText(label: Any, text: str, isError: bool = False) -> None:
    """Show a sentence, an error in red; it stays until the next one.

    Args:
        label: a QLabel; it keeps its place where there is no text.
        text: the sentence.
        isError: whether it tells of an error.
    """
    label.styleSheet = ERROR_STYLE if isError else ""
    label.text = text
