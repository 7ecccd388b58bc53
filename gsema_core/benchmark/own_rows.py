"""Rows beside the paper's: tables [rows.NAME] of the benchmark's TOML, and rows from outside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gsema_core import plugins
from gsema_core.benchmark.rows import ROWS, Row
from gsema_core.errors import UserError

SECTIONS = ("method", "optimization", "network", "transforms", "losses")
"""What a row may change. Data and budget are those of all rows: that is what makes it fair."""

_NAME = re.compile(r"[A-Za-z][\w-]{0,39}", re.ASCII)
"""It becomes a folder's name, and stands between commas. The length is ours."""


def own_rows(names: Iterable[str], tables: Mapping[str, Any]) -> dict[str, Row]:
    """The rows that are not the program's own, by name.

    Args:
        names: the rows that are asked for; ``package.module:Name`` and entry points are imported.
        tables: the TOML's ``[rows]``.

    Raises:
        UserError: a row is unknown, makes no sense, or has the name of one of the program's own.
    """
    if not isinstance(tables, Mapping):
        raise UserError(f"Setting rows is {tables!r:.80}: give a table for each row, [rows.NAME].")
    rows = {name: _listed_row(name, values) for name, values in tables.items()}
    for name in names:
        if name not in ROWS and name not in rows:
            rows[name] = _row(name, plugins.find(name, "row", [*ROWS, *rows]))
    return rows


def _listed_row(name: str, values: Any) -> Row:
    if name in ROWS:
        raise UserError(f"The row {name} is one of the program's own: give yours another name.")
    if not _NAME.fullmatch(name):
        raise UserError(
            f"The row {name[:80]!r} has no plain name: use up to 40 letters, digits, _ and -."
        )
    return _row(name, values)


def _row(name: str, values: Any) -> Row:
    """A `Row`, or a mapping with its title, its preset and what it changes of each section."""
    if isinstance(values, Row) and not values.external:
        return values
    if not isinstance(values, Mapping):
        raise UserError(
            f"The row {name} is {values!r:.80}: give a table of title, preset and changes."
        )
    changes = {}
    for key, value in values.items():
        if key in ("title", "preset"):
            if not isinstance(value, str) or not value:
                raise UserError(f"Setting {key} of the row {name} is {value!r:.80}: give a text.")
        elif key not in SECTIONS:
            raise UserError(
                f"The row {name} has no setting {key!r:.80}: use title, preset, "
                f"{', '.join(SECTIONS)}; data and budget are those of all rows."
            )
        elif not isinstance(value, Mapping):
            raise UserError(f"Setting {key} of the row {name} is {value!r:.80}: give a table.")
        else:
            changes[key] = value
    return Row(values.get("title", name), changes, values.get("preset", ""))
