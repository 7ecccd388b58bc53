"""Configurations as TOML files."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MANY_DOTS = re.compile(r"(?:\.\s*[\w\"'-]+\s*){50}")
"""A key of fifty parts; reading keys of thousands takes minutes."""


def read_toml(path: str | Path) -> dict[str, Any]:
    """A file's tables as they are written.

    Raises:
        UserError: the file is missing, unreadable or no TOML.
    """
    try:
        # Windows' editors put a byte order mark in front, which TOML does not know.
        text = Path(path).read_text(encoding="utf-8-sig")
        if _MANY_DOTS.search(text):
            raise ValueError("it nests tables too deeply, three levels do")
        return tomllib.loads(text)
    except FileNotFoundError as error:
        raise UserError(f"The configuration {path} does not exist.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"The configuration {path} cannot be read: {error}.") from error


def toml_value(text: str) -> Any:
    """The value that a text is in TOML; None where it is none, or a date, which no setting is."""
    try:
        tables = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return None
    value = tables.pop("value")
    return (
        value if not tables and isinstance(value, bool | int | float | str | list | dict) else None
    )


def toml_text(values: Mapping[str, Any]) -> str:
    """Plain values as TOML: single settings first, then a table for each mapping in ``values``.

    The standard library only reads TOML.
    """
    tables = {name: value for name, value in values.items() if isinstance(value, Mapping)}
    lines = [f"{name} = {_value(value)}" for name, value in values.items() if name not in tables]
    for table, settings in tables.items():
        lines += ["", f"[{table}]"]
        lines += [f"{toml_key(name)} = {_value(value)}" for name, value in settings.items()]
    return "\n".join(lines).lstrip("\n") + "\n"


def toml_key(name: str) -> str:
    """A name as TOML has it, in quotes where it needs some."""
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, Mapping):
        pairs = (f"{toml_key(name)} = {_value(one)}" for name, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    # JSON's texts are TOML's, but for the one control character that JSON leaves as it is.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
