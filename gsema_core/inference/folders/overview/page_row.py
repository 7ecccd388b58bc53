"""One scan on the overview, as HTML. Names and notes may hold anything, so all text is escaped."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gsema_core.inference.folders.overview.scan_record import ScanRecord
from gsema_core.inference.monitor import PHASES
from gsema_core.measurements.aneurysm_table import COLUMNS, Column, value_text

STATES = {
    "failed": "✕ failed",
    "noted": "! done, with notes",
    "done": "✓ done",
    "open": "… not done yet",
}
SPACES = "\xa0\u200c\u200d"
"""Shown as they are: a fixed space, and what joins letters in some scripts."""
SIDES = (("R", "L"), ("A", "P"), ("S", "I"))
"""What a positive and a negative coordinate of RAS means."""


@dataclass(frozen=True)
class Row:
    """A scan on the page.

    Args:
        title: what it is called.
        record: None where it is not done yet.
        files: names of its outputs, in the page's folder.
    """

    title: str
    record: ScanRecord | None
    files: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """A key of ``STATES``."""
        if self.record is None:
            return "open"
        if self.record.problem:
            return "failed"
        return "noted" if self.record.remarkable else "done"


def row(one: Row, state: str, tell_teacher: bool) -> str:
    """A scan's ``article``.

    Args:
        one: the scan.
        state: a key of ``STATES``.
        tell_teacher: the page has results of several.

    Raises:
        AttributeError, IndexError, KeyError, TypeError, ValueError: the record is no such record.
    """
    record = one.record
    left = _head(one, state)
    if record is None:
        return f'<article class="{state}"><div>{left}</div></article>'
    if record.problem:
        body = _problem(record.problem)
        return f'<article class="{state}"><div>{left}{_made(record)}</div>{body}</article>'
    left += _facts(record, tell_teacher) + _links(one.files)
    pictures = "".join(_picture(each, one.title) for each in record.pictures)
    remarks = "".join(f'<p class="remark">! {as_text(each)}</p>' for each in record.remarkable)
    return (
        f'<article class="{state}"><div>{left}</div><div class="pictures">{pictures}</div>'
        f'<div class="numbers">{remarks}{_measurements(record.report["aneurysms"])}</div></article>'
    )


def _head(one: Row, state: str) -> str:
    return f'<h3><bdi>{as_text(one.title)}</bdi></h3><p class="state">{STATES[state]}</p>'


def _problem(sentence: str) -> str:
    return f'<div><p class="problem">{as_text(sentence)}</p></div>'


def _made(record: ScanRecord) -> str:
    return f'<p class="faint">{as_text(record.made)} UTC</p>'


def _facts(record: ScanRecord, tell_teacher: bool) -> str:
    report = record.report
    geometry = report["geometry"]
    size, spacing = geometry["size"], geometry["spacing_mm"]
    extent = [f"{n * mm:.0f}" for n, mm in zip(size, spacing, strict=True)]
    facts = [
        f"{' × '.join(map(str, size))} voxels of {' × '.join(f'{mm:.3g}' for mm in spacing)} mm, "
        f"{' × '.join(extent)} mm",
        f"vessels {1000 * record.vessel_ml:.0f} mm³",
    ]
    series = report.get("series")
    if series:
        facts.append(
            f"series {series['number']} ({series['description'] or 'no description'}), "
            f"{series['slices']} slices"
        )
    if tell_teacher:
        teacher = report.get("teacher", {})
        facts.append(f"model {teacher.get('name')} ({str(teacher.get('sha256'))[:12]})")
    phases = report.get("seconds", {})
    if phases:
        seconds = sum(phases.get(name, 0) for name in PHASES)
        facts.append(f"{seconds:.0f} s on {report['device']['name']}")
    lines = "".join(f"<p>{as_text(fact)}</p>" for fact in facts)
    return lines + _made(record)


def _links(files: Sequence[str]) -> str:
    """Links beside the page; a file's name may hold what addresses do not."""
    links = [f'<a href="{quote(os.fsencode(name))}">{as_text(_kind(name))}</a>' for name in files]
    return f"<p>{' · '.join(links)}</p>" if links else ""


def _kind(name: str) -> str:
    for end, kind in (
        (".seg.nrrd", "label map"),
        (".seg.dcm", "DICOM SEG"),
        (".sr.dcm", "DICOM SR"),
        (".json", "report"),
    ):
        if name.endswith(end):
            return kind
    return name


def _measurements(aneurysms: Sequence[Mapping[str, Any]]) -> str:
    if not aneurysms:
        return "<p>No aneurysm was found.</p>"
    columns = [column for column in COLUMNS if column.essential]
    heads = [("No.", ""), *((column.title, column.unit) for column in columns[1:])]
    heads += [("Position", "mm")]
    head = "".join(f"<th>{title}<small>{unit}</small></th>" for title, unit in heads)
    rows = "".join(f"<tr>{_cells(columns, one)}</tr>" for one in aneurysms)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(columns: Sequence[Column], aneurysm: Mapping[str, Any]) -> str:
    cells = []
    for column in columns:
        reason = column.reason(aneurysm)
        title = f' title="{as_text(reason)}"' if reason else ""
        cells.append(f"<td{title}>{as_text(column.text(aneurysm) or '–')}</td>")
    sides = zip(aneurysm["centroid_ras"], SIDES, strict=True)
    place = " ".join(
        f"{plus if mm >= 0 else minus}\xa0{value_text(abs(mm), 'mm')}"
        for mm, (plus, minus) in sides
    )
    return "".join([*cells, f"<td>{as_text(place)}</td>"])


def _picture(picture: Mapping[str, Any], title: str) -> str:
    width, height, mm = int(picture["width"]), int(picture["height"]), float(picture["mm"])
    long = 20 if width * mm > 60 else 5
    size = f'width="{width}" height="{height}" loading="lazy" decoding="async"'
    spans = "".join(
        f'<span class="{side}">{as_text(letter)}</span>'
        for side, letter in zip("lrtb", picture["letters"], strict=True)
    )
    spans += "".join(
        f'<span class="mark outlines" style="left:{100 * x:.1f}%;top:{100 * y:.1f}%">'
        f"{int(number)}</span>"
        for number, x, y in picture["marks"]
    )
    spans += f'<span class="mm">{long} mm</span>'
    spans += f'<span class="bar" style="width:{long / mm:.0f}px"></span>'
    shown = as_text(picture["title"])
    return (
        f'<figure><div class="picture" style="width:{width}px;height:{height}px">'
        f'<img {size} src="data:image/jpeg;base64,{as_text(picture["gray"])}" '
        f'alt="{as_text(title)}, {shown}">'
        f'<img class="outlines" {size} src="data:image/png;base64,{as_text(picture["outlines"])}" '
        f'alt="">{spans}</div><figcaption>{shown}</figcaption></figure>'
    )


def as_text(value: Any) -> str:
    """Text as HTML; control characters, which no page may hold, are spelled out."""
    text = "".join(
        each if each.isprintable() or each in SPACES else each.encode("unicode_escape").decode()
        for each in str(value)
    )
    return html.escape(text, quote=True)
