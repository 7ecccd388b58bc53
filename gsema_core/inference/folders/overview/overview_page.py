"""The overview: one HTML file with everything in it, made of the scans' records."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from gsema_core.inference.folders.overview.page_row import Row, as_text, row
from gsema_core.inference.folders.overview.page_style import SCRIPT, STYLE
from gsema_core.inference.folders.overview.scan_record import ScanRecord

RESEARCH = (
    "For research use; not a medical device, without approval for diagnosis or treatment: check "
    "every segment against the scan."
)


GROUPS = {
    "failed": ("Failed", "failed"),
    "noted": ("Done, with notes", "done with notes"),
    "done": ("Done", "done without notes"),
    "open": ("Not done yet", "not done yet"),
}
"""By key, which is the rows' class: the heading, and what the head of the page says."""


def overview_page(rows: Sequence[Row], log: str = "") -> str:
    """The page, which asks the network for nothing and works without JavaScript.

    Args:
        rows: in the order in which they stand within a group.
        log: name of the file with unexpected errors beside the page, where there is one.
    """
    rows = [_readable(one) for one in rows]
    records = [one.record for one in rows if one.record is not None]
    several = len({_teacher(record) for record in records if not record.problem}) > 1
    groups = {key: [one for one in rows if one.group == key] for key in GROUPS}
    sections = "\n".join(
        f'<section id="{key}"><h2>{GROUPS[key][0]} ({len(members)})</h2>\n'
        + "\n".join(row(one, key, several) for one in members)
        + "\n</section>"
        for key, members in groups.items()
        if members
    )
    counts = ", ".join(
        f'<a href="#{key}">{len(members)} {GROUPS[key][1]}</a>'
        for key, members in groups.items()
        if members
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_policy()}">
<title>Overview of {len(rows)} scan{"" if len(rows) == 1 else "s"}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Cerebral aneurysms in {_number(len(rows), "scan")}</h1>
<p>{counts}. {_findings(records)}</p>
<p class="faint">{as_text(_made_by(records))} <strong>{RESEARCH}</strong></p>
<p class="tools"><label><input type="checkbox" id="outlines" checked> outlines</label>
<label hidden>filter <input type="search" id="filter" placeholder="name, note, diameter..."></label>
<span id="count" role="status"></span></p>
</header>
<main>
{sections}
</main>
<footer><p>{_legend(log)}</p></footer>
<script>{SCRIPT}</script>
</body>
</html>
"""


def _readable(one: Row) -> Row:
    """The row, or one that says that its record, a file like any other, was changed."""
    try:
        row(one, one.group, True)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        told = "Its record in the folder overview is damaged: delete it, and go on with --resume."
        return Row(one.title, ScanRecord(one.title, one.title, "", told))
    return one


def _policy() -> str:
    """What the browser may load: pictures in the page, and this page's own script; nothing else."""
    script = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{script}'"
    )


def _findings(records: Iterable[ScanRecord]) -> str:
    counts = [len(record.report.get("aneurysms", ())) for record in records if not record.problem]
    if not any(counts):
        return "No aneurysm was found." if counts else ""
    with_some = sum(count > 0 for count in counts)
    return f"{_number(sum(counts), 'aneurysm')} in {_number(with_some, 'scan')}."


def _made_by(records: Sequence[ScanRecord]) -> str:
    teachers = Counter(_teacher(record) for record in records if not record.problem)
    by = "; ".join(
        f"{teacher} ({_number(count, 'scan')})" if len(teachers) > 1 else teacher
        for teacher, count in teachers.most_common()
    )
    made = max((record.made for record in records), default="")
    return f"{by + '; ' if by else ''}last change {made} UTC." if made else ""


def _teacher(record: ScanRecord) -> str:
    """Teacher and program in words."""
    teacher, program = record.report.get("teacher"), record.report.get("program", {})
    if not teacher:
        return "by an unknown model"
    return (
        f"model {teacher.get('name')} ({str(teacher.get('sha256'))[:12]}), "
        f"{program.get('name')} {program.get('version')}"
    )


def _legend(log: str) -> str:
    told = f" What was unexpected is in {as_text(log)}." if log else ""
    return (
        "Thick yellow outlines with numbers are aneurysms, thin red ones vessels; the pointer on "
        "a picture hides them. Pictures are upright: R and L are the patient's right and left, A "
        "and P the front and the back, S and I the head and the feet. Certainty is the model's "
        "mean probability." + told
    )


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
