"""What the panel's log says of a run: phases as they come, and at the end where it comes from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slicer.i18n import tr as _

from GSEMASegmentationLib.panels.DeviceText import describeDevice


class RunLog:
    """Writes lines for people; a phase with the seconds since the start of the run.

    Args:
        write: takes a line.
        clock: seconds; replaced in tests.
    """

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write, self._clock = write, clock
        self._started, self._phase = clock(), ""

    def begin(self, what: str) -> None:
        """A run begins."""
        self._started, self._phase = self._clock(), ""
        self._write(f"{time.strftime('%H:%M:%S')} {what}")

    def phase(self, phase: str) -> None:
        """Something is being done; the same again says nothing."""
        if phase != self._phase:
            self._phase = phase
            self._write(f"  {self._clock() - self._started:.1f} s: {phase}")

    def end(self, how: str, report: Mapping[str, Any] | None = None) -> None:
        """The run is over.

        Args:
            how: one sentence.
            report: the worker's provenance, where there is a result.
        """
        self.phase(how)
        for line in reportLines(report or {}):
            self._write(f"  {line}")


def reportLines(report: Mapping[str, Any]) -> Iterator[str]:
    """Device, teacher, versions, settings, times and notes, as far as a report has them."""
    device, teacher, program = (_table(report, name) for name in ("device", "teacher", "program"))
    if device:
        yield _("Device: {device}").format(device=describeDevice(device))
    if teacher:
        name, sha256 = teacher.get("name", "?"), str(teacher.get("sha256", ""))[:8]
        yield _("Model: {name}, file {hash}").format(name=name, hash=sha256 or "?")
    if program:
        name, version = program.get("name", "?"), program.get("version", "?")
        others = {key: value for key, value in program.items() if key not in ("name", "version")}
        facts = ", ".join(part for part in (f"{name} {version}", _facts(others)) if part)
        yield _("Program: {program}").format(program=facts)
    for title, name in ((_("Settings"), "settings"), (_("Seconds"), "seconds")):
        if facts := _facts(_table(report, name)):
            yield f"{title}: {facts}"
    for note in report.get("notes", ()):
        yield _("Note: {note}").format(note=note)


def _table(report: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = report.get(name)
    return value if isinstance(value, Mapping) else {}


def _facts(table: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value:g}"
        if isinstance(value, float)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in table.items()
        if value is not None
    )
