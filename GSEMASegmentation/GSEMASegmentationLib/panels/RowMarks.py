"""How rows of the table of measurements look that are not like the others."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from GSEMASegmentationLib.measure.Judgement import CONFIRMED, REJECTED
from GSEMASegmentationLib.measure.TableRecord import EDITED


def shortStatus(status: str) -> str:
    """A status as a narrow panel has room for it."""
    words = {CONFIRMED: _("confirmed"), REJECTED: _("rejected"), EDITED: _("edited")}
    return ", ".join(words.get(word, word) for word in status.split(", ") if word)


def markRow(widget: Any, row: int, status: str) -> None:
    """Strike out a rejected aneurysm; show what is out of date in italics."""
    words, shown = status.split(", "), shortStatus(status)
    for column in range(widget.columnCount):
        item = widget.item(row, column)
        font = item.font()
        font.setItalic(EDITED in words)
        font.setStrikeOut(REJECTED in words and item.text() != shown)
        item.setFont(font)
        text = _tooltipOf(words)
        item.setToolTip("\n".join(one for one in (item.toolTip(), text) if one))


def _tooltipOf(words: list[str]) -> str:
    sentences = {
        CONFIRMED: _("You have confirmed this aneurysm."),
        REJECTED: _("You have rejected this aneurysm: it is vessel. The numbers are from before."),
        EDITED: _("Edited since it was measured: the numbers are from before."),
    }
    return "\n".join(sentences[word] for word in words if word in sentences)
