"""The reference page of settings, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from gsema_core.configuration.options import option_of
from gsema_core.configuration.setting import Setting, settings_of

_PAGE = re.compile(r"docs/([\w-]+)/(\w+\.md)")
"""A page of the documentation, which becomes a link from docs/reference/."""


def settings_table(kind: type) -> str:
    """A row for every setting of a dataclass; settings that are dataclasses are left out."""
    rows = [_row(one) for one in settings_of(kind) if one.help]
    return "\n".join(
        ["| setting | default | value | what it does | from |", "|---|---|---|---|---|", *rows]
    )


def default_text(one: Setting) -> str:
    """A default as it is typed in a TOML file; nothing in words."""
    return one.none if one.default is None else _text(one.default) or "empty"


def _row(one: Setting) -> str:
    option = f"<br>`{option_of(one)}`" if one.group else ""
    unit = f" {one.unit}" if one.unit and one.default is not None else ""
    cells: Iterable[str] = (
        f"`{one.name}`{option}",
        f"{default_text(one)}{unit}",
        one.expected,
        one.help,
        _PAGE.sub(r"[\2](../\1/\2)", one.source),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, float):
        return f"{value:.12g}"
    return "" if str(value) == "." else str(value)
