"""Values as they are typed behind ``--set``: TOML's, and plain texts without quotes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gsema_core.configuration.setting import Setting
from gsema_core.configuration.toml_files import toml_value
from gsema_core.errors import UserError

NUMBERS = (int, float)


def typed_value(text: str, one: Setting | None = None) -> Any:
    """What was typed, as a setting may take it; whether it does is for ``build`` to say.

    Args:
        text: a TOML value; a text may stand without quotes, and a list without brackets and quotes.
        one: whose value it is; None for a keyword of a part, which tells no type.

    Example:
        >>> typed_value("3e-4"), typed_value("true"), typed_value("gin"), typed_value('["a", "b"]')
        (0.0003, True, 'gin', ['a', 'b'])
    """
    value = toml_value(text)
    if one is None:
        return text if value is None else value
    if not one.is_list:
        return _element(text, one.element)
    if isinstance(value, list) and not (one.element is str and _has_other_than_texts(value)):
        return value
    inside = text.strip()
    if inside.startswith("[") and inside.endswith("]"):
        inside = inside[1:-1]
    parts = [part.strip() for part in inside.split(",") if part.strip()]
    if any(part[0] in "\"'" and not isinstance(toml_value(part), str) for part in parts):
        raise UserError(f"The list {text[:80]} mixes quotes and none: put every text into quotes.")
    return [_element(part, one.element) for part in parts]


def nearest(name: str, known: Iterable[str]) -> str:
    """A part of a sentence that names what was most likely meant; empty where nothing is near."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def _element(text: str, kind: Any) -> Any:
    """A text stays one, whatever else it could be: a center may be called 1."""
    value = toml_value(text)
    if kind in (str, Path):
        return value if isinstance(value, str) else text
    if value is None and kind in NUMBERS:
        try:
            return float(text)  # .5 and 5., which TOML does not know
        except ValueError:
            return text
    return text if value is None else value


def _has_other_than_texts(values: list[Any]) -> bool:
    return not all(isinstance(value, str) for value in values)
