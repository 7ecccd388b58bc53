"""``slicer.i18n``: the application language of the harness is English."""

from __future__ import annotations


def translate(context: str, text: str) -> str:
    """Slicer's ``translate``: the text itself, because there is no translation file."""
    return text


def tr(text: str) -> str:
    """Slicer's ``tr``, imported by modules as ``_``."""
    return text
