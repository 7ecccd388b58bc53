"""What says which center a scan comes from: a level of folders, a table, or a pattern."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gsema_core.datasets.case_names import patient_name
from gsema_core.errors import UserError
from gsema_core.files.image_names import image_stem
from gsema_core.files.text_files import read_rows

RULES = (
    "folder (the first level of subfolders), folder:2 (the second), none (all are of one center), "
    "a table (.tsv or .csv) of patients with a column site or center, or a regular expression "
    "with one group, looked for in the scan's path"
)
"""What ``--center-from`` takes, in one breath."""

TABLE_SUFFIXES = (".tsv", ".csv")
ID_COLUMNS = (
    "participant_id", "patient", "patient_id", "subject", "subject_id", "case", "case_id", "id",
    "name", "image", "file", "filename", "path",
)  # fmt: skip
CENTER_COLUMNS = (
    "site", "center", "centre", "site_id", "center_id", "centre_id", "hospital", "institution",
)  # fmt: skip
_EMPTY = {"", "n/a", "na", "nan"}


@dataclass(frozen=True)
class Origin:
    """Where a scan comes from.

    Attributes:
        center: its name; empty for the folder's own.
        patient: the steps that name the patient.
    """

    center: str
    patient: tuple[str, ...]


class CenterRule(Protocol):
    """Says where a scan comes from."""

    def origin(self, steps: tuple[str, ...], path: str) -> Origin:
        """Find the center.

        Args:
            steps: the folders that tell the scan from others, from the given folder on, and its
                name at the end.
            path: of the scan, from the given folder on, with ``/``.

        Raises:
            UserError: it cannot be told.
        """


@dataclass(frozen=True)
class OneCenter:
    """All scans are of one center, and the first level of folders are patients."""

    def origin(self, steps: tuple[str, ...], path: str) -> Origin:
        return Origin("", steps[:1])


@dataclass(frozen=True)
class FolderLevel:
    """The subfolders of a level, from 1, are the centers."""

    level: int

    def __str__(self) -> str:
        return "folder" if self.level == 1 else f"folder:{self.level}"

    def origin(self, steps: tuple[str, ...], path: str) -> Origin:
        if len(steps) <= self.level:
            raise UserError(
                f"The scan {path} lies in no center's folder: with --center-from "
                f"{self} the patient's folder or file comes below the center's. Use "
                "another level, or none if all are of one center."
            )
        return Origin(steps[self.level - 1], steps[: self.level + 1])


@dataclass(frozen=True)
class CenterPattern:
    """What the one group of a regular expression finds in the scan's path."""

    pattern: re.Pattern[str]

    def origin(self, steps: tuple[str, ...], path: str) -> Origin:
        found = self.pattern.search(path)
        if not found or not found[1]:
            raise UserError(
                f"The pattern {self.pattern.pattern!r} of --center-from finds no center in the "
                f"path {path}: correct it, so that its group is the center's name."
            )
        # A first folder that is the center's name and no more holds patients, and is none.
        return Origin(found[1], steps[: 2 if steps[0] == found[1] else 1])


@dataclass(frozen=True)
class CenterTable:
    """A table that names a center for each patient."""

    file: Path
    centers: Mapping[str, str]

    def origin(self, steps: tuple[str, ...], path: str) -> Origin:
        found = {n: self.centers[key] for n, key in self._keys(steps, path) if key in self.centers}
        if not found:
            raise UserError(
                f"The table {self.file} has no center for the scan {path}: add a row with the name "
                "of its patient's folder or file."
            )
        if len(set(found.values())) > 1:
            raise UserError(
                f"The table {self.file} has rows of several centers ({', '.join(found.values())}) "
                f"that fit the scan {path}: name patients so that one does."
            )
        step = min(found)
        return Origin(found[step], steps[step : step + 1] or steps[:1])

    @staticmethod
    def _keys(steps: tuple[str, ...], path: str) -> list[tuple[int, str]]:
        """What a row may be called by: a folder, the name, or the whole path."""
        return [(n, plain_id(name)) for n, name in enumerate((*steps, path))]


def plain_id(name: str) -> str:
    """A patient's name without BIDS' ``sub-`` and the time, and a file's without its suffix.

    >>> plain_id("sub-07_ses-2"), plain_id("p7.nii.gz")
    ('07', 'p7')
    """
    name = name.strip()
    return patient_name(image_stem(name) or name).removeprefix("sub-")


def center_rule(text: str) -> CenterRule:
    """Understand what ``--center-from`` was given (see ``RULES``).

    Raises:
        UserError: it is nothing of this, or the table cannot be used.
    """
    if text.lower() == "none":
        return OneCenter()
    if level := re.fullmatch(r"folder(?::(\d+))?", text, re.IGNORECASE):
        number = int(level[1] or 1)
        if number:
            return FolderLevel(number)
    if text.lower().endswith(TABLE_SUFFIXES):
        return read_center_table(Path(text))
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise UserError(f"--center-from has {text!r} ({error}): give {RULES}.") from error
    if pattern.groups != 1:
        raise UserError(
            f"--center-from has {text!r}, which has {pattern.groups} groups in parentheses: give "
            f"{RULES}."
        )
    return CenterPattern(pattern)


def read_center_table(path: Path) -> CenterTable:
    """Read a table with a row for each patient, as BIDS' ``participants.tsv`` is.

    Raises:
        UserError: it cannot be read, lacks a column, or a patient has no center or two.
    """
    rows = read_rows(path, "table")
    names = list(rows[0]) if rows else []
    patient, center = (_column(names, known) for known in (ID_COLUMNS, CENTER_COLUMNS))
    if patient is None or center is None:
        lacking, example = ("patient", "participant_id") if patient is None else ("center", "site")
        raise UserError(
            f"The table {path} has no column of the {lacking}s ({', '.join(names)}): call one "
            f"{example}."
        )
    centers: dict[str, str] = {}
    for row in rows:
        key, value = plain_id(row[patient]), row[center].strip()
        if value.lower() in _EMPTY:  # it is only told of a patient who has a scan
            continue
        if centers.setdefault(key, value) != value:
            raise UserError(
                f"The table {path} has {row[patient]!r} at {centers[key]!r} and at {value!r}: "
                "keep one."
            )
    return CenterTable(path, centers)


def has_centers(path: Path) -> bool:
    """Whether a table has a column of centers."""
    rows = read_rows(path, "table") if path.is_file() else []
    return bool(rows) and _column(list(rows[0]), CENTER_COLUMNS) is not None


def _column(names: Sequence[str], known: Sequence[str]) -> str | None:
    """The column that has the first of the known names; None where there is none."""
    plain = {name.strip().lower(): name for name in reversed(names)}
    return next((plain[name] for name in known if name in plain), None)
