"""Text, JSON and CSV files: written whole or not at all, read with a sentence for what is wrong."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path, check_writable


def check_destinations(*outputs: tuple[Path | None, str]) -> None:
    """Make sure, before long work, that its files can be written.

    Args:
        outputs: files, or None for one that is not wanted, with the suffix that each must have.

    Raises:
        UserError: another suffix, or a folder that is missing, read-only or full.
    """
    for path, suffix in outputs:
        if path is None:
            continue
        if path.suffix.lower() != suffix:
            raise UserError(f"The output {path} has the wrong format: end its name with {suffix}.")
        check_writable(path)


def write_text(text: str, path: str | os.PathLike[str]) -> None:
    """Write a text file.

    Raises:
        UserError: the file could not be written; an older one is then unchanged.
    """
    with atomic_path(path) as temporary:
        # What is no text, as names of files may be, is spelled as JSON spells it.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(document: Any, path: str | os.PathLike[str]) -> None:
    """Write JSON that any reader takes: no NaN.

    Raises:
        UserError: as for ``write_text``.
        ValueError: a number is NaN or infinite.
    """
    write_text(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def write_csv(
    rows: Sequence[Mapping[str, Any]], path: str | os.PathLike[str], columns: Sequence[str] = ()
) -> None:
    """Write rows under ``columns`` or the first one's names; numbers that do not exist stay empty.

    Raises:
        UserError: as for ``write_text``.
    """
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.DictWriter(file, columns or list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _cell(value) for name, value in row.items()})


def read_text(path: Path, what: str) -> str:
    """Read a text that somebody wrote.

    Args:
        path: the file.
        what: it is, for the errors.

    Raises:
        UserError: there is no such file, or it is no text.
    """
    try:
        # Windows' editors put a byte order mark in front.
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UserError(f"The {what} {path} does not exist: check the path.") from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"The {what} {path} is no readable text ({error}): save it as UTF-8."
        ) from error


def read_rows(path: Path, what: str) -> list[dict[str, str]]:
    """Read a table that somebody wrote, with tabs, semicolons or commas between its columns.

    Returns:
        A row each, by the names in the first line; what a short row lacks is empty.

    Raises:
        UserError: there is no such file, or it is no table.
    """
    text = read_text(path, what)
    delimiter = max("\t;,", key=text.partition("\n")[0].count)
    try:
        rows = csv.DictReader(io.StringIO(text), delimiter=delimiter, restval="")
        return [{name: cell for name, cell in row.items() if name} for row in rows]
    except csv.Error as error:
        raise UserError(f"The {what} {path} is no readable table ({error}): correct it.") from error


def read_json(path: Path, what: str) -> Any:
    """Read JSON that somebody wrote.

    Args:
        path: the file.
        what: it is, for the errors: datalist, manifest...

    Raises:
        UserError: there is no such file, or it is no JSON.
    """
    try:
        # Windows' editors put a byte order mark in front, which JSON does not know.
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise UserError(f"The {what} {path} does not exist: check the path.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"The {what} {path} is not readable JSON ({error}): correct it, or write it anew."
        ) from error


def read_table(path: Path) -> dict[str, Any] | None:
    """A JSON object that a run of this program left; None where none can be read."""
    try:
        content = read_json(path, "table")
    except UserError:
        return None
    return content if isinstance(content, dict) else None


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"  # NaN is not itself
    return value
