"""The overview of a folder run, kept by each of its processes as scans are done."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gsema_core.error_log import log_unexpected
from gsema_core.errors import Cancelled, UserError
from gsema_core.files import read_labels
from gsema_core.files.atomic import check_writable, make_folder, one_at_a_time
from gsema_core.files.dicom.neutral import told_as
from gsema_core.files.text_files import read_table, write_text
from gsema_core.grids import Volume
from gsema_core.grids.geometry import check_same_grid
from gsema_core.inference.folders.overview.overview_page import overview_page
from gsema_core.inference.folders.overview.page_row import Row
from gsema_core.inference.folders.overview.pictures import Shown, draw_pictures, shown
from gsema_core.inference.folders.overview.scan_record import (
    FOLDER,
    TOLD,
    ScanRecord,
    read_record,
    record_path,
    write_record,
)
from gsema_core.inference.opening import read_scan, tell_series
from gsema_core.inference.segmentation_result import SegmentationResult
from gsema_core.labels import VESSEL
from gsema_core.measurements import Aneurysm, is_current, measure_aneurysms, measurements_report

PAGE = "overview.html"
REFRESH_SECONDS = 60.0
"""How often the page is made anew while scans are segmented. Our choice."""


@dataclass(frozen=True)
class Told:
    """A scan as the overview names it.

    Args:
        name: of its outputs, without their suffixes.
        title: what the scan is called.
        source: the scan.
        labels: the label map's file.
        report: the report's file.
    """

    name: str
    title: str
    source: Path
    labels: Path
    report: Path


class Overview:
    """Records of scans, and the page that is made of all there are.

    Args:
        results: the folder of the results.
        scans: all scans of the folder, also those of other processes.
        log: the file for unexpected errors.
    """

    def __init__(self, results: Path, scans: Iterable[Told], log: Path) -> None:
        self.results = results
        self.scans = {scan.name: scan for scan in scans}
        self.log = log
        self._next = time.monotonic() + REFRESH_SECONDS

    def check(self) -> None:
        """Make sure, before long work, that the page and the records can be written.

        Raises:
            UserError: they cannot.
        """
        check_writable(self.results / PAGE)
        check_writable(record_path(make_folder(self.results / FOLDER).parent, "any"))

    def done(self, name: str, scan: Shown, result: SegmentationResult) -> None:
        """Keep what a scan's segmentation gave, and its pictures."""
        self._keep(name, scan, result.labels, result.aneurysms, result.report, ())

    def failed(self, name: str, problem: str) -> None:
        """Keep why a scan has no result."""
        write_record(self.results, ScanRecord(name, self.scans[name].title, problem=problem))
        self._refresh()

    def stays(self, name: str) -> None:
        """Keep what lies there from an earlier run, unless it was kept as it is now.

        Label maps that were corrected by hand, or measured by other definitions than today's, are
        measured and drawn anew.
        """
        record = read_record(self.results, name)
        if (
            record is None
            or record.labels_hash != _hash(self.scans[name].labels)
            or not is_current(record.report)
        ):
            try:
                self._keep_files(self.scans[name])
            except (UserError, OSError, MemoryError) as error:
                told = str(error) if isinstance(error, UserError) else "It cannot be read."
                self.failed(name, f"A label map is there, but: {told}")

    def write_page(self) -> None:
        """Make the page of all records that there are, whoever left them.

        Raises:
            UserError: it could not be written.
        """
        with one_at_a_time(self.results):
            known = self._records()
            self._write(known)
            # Where there is no such lock, another process may have left a record meanwhile.
            while known != (newer := self._records()):
                known = newer
                self._write(known)
        self._next = time.monotonic() + REFRESH_SECONDS

    def _write(self, names: Iterable[str]) -> None:
        """Write the page, unless it is there as it is."""
        every = sorted({*self.scans, *names}, key=_by_number)
        rows = [one for one in map(self._row, every) if one is not None]
        page = overview_page(rows, self.log.name if self.log.exists() else "")
        path = self.results / PAGE
        if not path.exists() or path.read_bytes() != page.encode():
            write_text(page, path)

    def _records(self) -> dict[str, int]:
        """The names of all records, and when they were written."""
        paths = (self.results / FOLDER).glob("*.json")
        return {path.stem: path.stat().st_mtime_ns for path in paths}

    def _row(self, name: str) -> Row | None:
        """A scan's row; of scans that are not in the folder now only what has a label map."""
        record, scan = read_record(self.results, name), self.scans.get(name)
        labels = scan.labels if scan else self.results / f"{name}.seg.nrrd"
        if record is not None and not record.problem and not labels.exists():
            record = None
        if scan is None and (record is None or record.problem):
            return None
        title = scan.title if scan else str(record.title if record else name)
        ends = (".seg.nrrd", ".json", ".seg.dcm", ".sr.dcm")
        files = [f"{name}{end}" for end in ends if (self.results / f"{name}{end}").exists()]
        return Row(title, record, tuple(files))

    def _keep_files(self, scan: Told) -> None:
        from gsema_core.inference.provenance import describe_geometry  # torch takes seconds

        with told_as(scan.title, scan.source) as source:
            volume = read_scan(source)
        labels = read_labels(scan.labels, grid=volume.geometry)
        aneurysms = measure_aneurysms(labels)
        told = read_table(scan.report) or {}
        report = {**told, "notes": list(told.get("notes", ()))}
        remarks = []
        if not _same(aneurysms, told.get("aneurysms")):
            remarks.append("The label map is not as the model drew it: it was measured anew.")
            report |= measurements_report(aneurysms)
        elif not is_current(told):
            remarks.append(
                "It was measured anew: its report was written by an earlier version of this "
                "program, which measured other values or in another way."
            )
            report |= measurements_report(_certain(aneurysms, told["aneurysms"]))
        if not told:
            report["geometry"] = describe_geometry(labels.geometry)
            tell_series(report, volume)
        self._keep(scan.name, shown(volume), labels, aneurysms, report, tuple(remarks))

    def _keep(
        self,
        name: str,
        scan: Shown,
        labels: Volume,
        aneurysms: list[Aneurysm],
        report: Mapping[str, Any],
        remarks: tuple[str, ...],
    ) -> None:
        told = self.scans[name]
        pictures: list[dict[str, Any]] = []
        try:
            check_same_grid(labels.geometry, scan.scan.geometry, "The label map", "the scan")
            pictures = draw_pictures(scan, labels, aneurysms)
        except Cancelled:
            raise
        except Exception as error:  # the result is there; only its pictures are not
            log_unexpected(error, self.log, f"The pictures of {told.title} failed.")
            why = str(error) if isinstance(error, UserError) else f"({type(error).__name__})"
            remarks = (*remarks, f"No picture could be made: {why}")
        count = int(np.count_nonzero(labels.array == VESSEL))
        record = ScanRecord(
            name,
            told.title,
            labels_hash=_hash(told.labels),
            vessel_ml=round(count * labels.geometry.voxel_volume_mm3 / 1000, 4),
            report={key: report[key] for key in TOLD if key in report},
            remarks=remarks,
            pictures=pictures,
        )
        write_record(self.results, record)
        self._refresh()

    def _refresh(self) -> None:
        if time.monotonic() > self._next:
            self.write_page()


def _same(aneurysms: list[Aneurysm], told: Any) -> bool:
    """Whether a report tells of these aneurysms."""
    try:
        return [one.voxels for one in aneurysms] == [one["voxels"] for one in told]
    except (KeyError, TypeError):
        return False


def _certain(aneurysms: list[Aneurysm], told: Iterable[Mapping[str, Any]]) -> list[Aneurysm]:
    """The aneurysms with the certainty that a report tells of."""
    pairs = zip(aneurysms, told, strict=True)
    return [one.with_certainty(old.get("certainty")) for one, old in pairs]


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _by_number(name: str) -> list[Any]:
    """Names in the order that people expect: case 2 before case 10."""
    parts = re.split(r"(\d+)", name.lower())
    return [int(part) if number % 2 else part for number, part in enumerate(parts)]
