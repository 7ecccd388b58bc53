"""What is kept of each scan of a folder run, so that any process can make the page of all.

Processes share a folder, runs go on later: each scan has a small file of its own in the results'
folder ``overview``, and the page is always made from all of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from gsema_core.files.atomic import make_folder
from gsema_core.files.text_files import read_table, write_json
from gsema_core.measurements.aneurysm import is_current

FOLDER = "overview"
"""Beside the results."""

TOLD = (
    "aneurysms", "measurements_version", "notes", "teacher", "program", "geometry", "series",
    "seconds", "device",
)  # fmt: skip
"""What of a scan's report is kept."""

OLDER = (
    "It was measured by an earlier version of this program, whose numbers cannot be put beside "
    "today's: go on with --resume in its folder to have it measured anew."
)
"""Said of a record whose scan is not among those of this run."""


@dataclass(frozen=True)
class ScanRecord:
    """One scan's row.

    Args:
        name: of its outputs, without their suffixes.
        title: what the scan is called on the page.
        made: when, as ``2025-01-31 13:45`` UTC.
        problem: why there is no result, in a sentence; empty where there is one.
        labels_hash: SHA-256 of the label map's file that the rest tells of.
        vessel_ml: volume of the vessels.
        report: see ``TOLD``.
        remarks: what else a reader should know, a sentence each.
        pictures: from ``pictures.draw_pictures``.
    """

    name: str
    title: str
    made: str = field(default_factory=lambda: f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M}")
    problem: str = ""
    labels_hash: str = ""
    vessel_ml: float = 0.0
    report: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    pictures: list[dict[str, Any]] = field(default_factory=list)

    @property
    def remarkable(self) -> list[str]:
        """What is to be read before the result is trusted."""
        older = [] if is_current(self.report) else [OLDER]
        cut = [str(one["index"]) for one in self.report["aneurysms"] if one["cut_off"]]
        cut_off = [f"The scan's border cuts off aneurysm {', '.join(cut)}."] if cut else []
        return [*self.remarks, *self.report.get("notes", ()), *older, *cut_off]


def record_path(results: Path, name: str) -> Path:
    """Where the record of the scan with this name lies."""
    return results / FOLDER / f"{name}.json"


def write_record(results: Path, record: ScanRecord) -> None:
    """Write a record.

    Raises:
        UserError: it could not be written.
    """
    make_folder(results / FOLDER)
    content = asdict(record)
    del content["name"]  # the file's, which need not be Unicode
    content["title"] = record.title.encode("utf-8", "backslashreplace").decode()
    write_json(content, record_path(results, record.name))


def read_record(results: Path, name: str) -> ScanRecord | None:
    """A record that a run of this program left; None where none can be read."""
    content = read_table(record_path(results, name))
    try:
        return ScanRecord(**{**content, "name": name}) if content else None
    except TypeError:
        return None
