"""The worker's language, as pure functions: lines to requests, events to lines.

Events are plain dictionaries with ``event`` and mostly ``id``, the number of the request:

=========== ==========================================================================
hello       ``pid``, ``protocol``, ``version``; always the first line
ready       ``teacher``, ``device``; after ``--preload``
progress    ``id``, ``fraction`` (0 to 1, never falling), ``phase`` (text for the user)
result      ``id`` and what the command gives; the request is done
error       ``id`` (null where it could not be read), ``message`` (one sentence)
cancelled   ``id``; the request was cancelled, nothing was written
heartbeat   ``id``, ``work``, ``cpu_seconds``; every 2 s while a request is worked on
=========== ==========================================================================

Every request ends with exactly one ``result``, ``error`` or ``cancelled``, except that a
``cancel`` which finds its target answers through the target, and that ``quit`` answers by ending
the process. End of stdin means ``quit``.

Heartbeats tell a busy worker from a stuck one. ``work`` is a count that rises with every window,
phase and step of the progress, ``cpu_seconds`` the processor time that the process has taken; both
never fall. No line at all for half a minute: the process is frozen. Beats in which neither rises
by more than a tenth for a minute: it waits for something that does not come. Beats in which only
``cpu_seconds`` rises: one long step; reading a large scan takes a minute, and importing PyTorch
from a cold disk too. Beats for ``--preload`` have the id null.

A segmentation, and what its result has besides ``event`` and ``id``::

    {"id": 1, "command": "segment", "input": "/tmp/a/volume.nrrd", "output": "/tmp/a/labels.nrrd",
     "teacher": "default", "device": "auto", "settings": {"overlap": 0.5}, "probabilities": null,
     "volume_key": "vtkMRMLScalarVolumeNode1:4711"}
    -> {"report": {...}, "aneurysms": [{"index": 1, "volume_ml": 0.41, "centroid_lps": [...],
        "centroid_ras": [...], "centroid_ijk": [...], "largest_diameter_mm": 10.2, ...}]}

Only ``input`` and ``output`` must be there. ``settings`` holds fields of ``SegmentationSettings``
(docs/settings.md); what is left out has its default. ``probabilities`` is the file that gets the
aneurysm's probability. What was read under a ``volume_key`` is kept until the next one comes, so
that the ``input`` of a later request may be gone, and may be left out of a click. A key stands for
the voxels and the geometry; whoever changes these changes the key.

A scan is prepared while the user still looks for an aneurysm, and then clicked at::

    {"id": 2, "command": "prepare", "input": "/tmp/a/volume.nrrd", "volume_key": "...",
     "teacher": "default", "device": "auto"}
    -> {"geometry": {"size": [i, j, k], "spacing_mm": [...], "origin_lps_mm": [...],
        "direction": [nine numbers]}, "device": "cpu", "seconds": {"read": 0.8, "load": 2.1,
        "prepare": 1.9}}

    {"id": 3, "command": "click", "volume_key": "...", "point_lps": [12.5, -31.0, 48.0],
     "output": "/tmp/a/click-3.nrrd", "input": null, "teacher": "default", "device": "auto",
     "settings": {}, "vessels": true}
    -> {"found": true, "message": "", "point_lps": [12.5, -31.0, 48.0], "probability": 0.9312,
        "threshold": 0.4961, "box": {"start_ijk": [201, 180, 77], "size_ijk": [41, 38, 40]},
        "aneurysm": {"index": 1, "volume_ml": 0.41, ...}, "highest_probability": 0.9922,
        "highest_lps": [12.1, -30.2, 47.5], "complete": true, "windows": 1, "report": {...}}
    -> {"found": false, "message": "There is no aneurysm at ...", "box": null, "aneurysm": null,
        ... as above}, and no file

With ``vessels`` false nothing is measured at the vessel (no neck, no parent vessel), which takes
most of the time beside the windows. The file of a click is an uncompressed NRRD label map (uint8,
0 and 2) of the box alone, with the box's own origin on the volume's grid: its first voxel is the
volume's voxel ``start_ijk``. ``probability`` is the aneurysm's at the click,
``highest_probability`` that in all the windows looked at, ``threshold`` the least that counted as
aneurysm. ``complete`` is false where the aneurysm reaches beyond the windows that a click may run.
Positions are in mm, LPS, without any transform of the volume.

An ``error`` may have a ``code`` for programs. ``scan_needed``: the worker does not have that
``volume_key`` in memory, or not at this teacher's spacing, and there was no ``input``; sending the
request again with ``input`` helps. ``device_failed``: see below.

No process gets a GPU back whose driver has failed. A worker that meets this at work therefore
answers and ends, with the exit code 75. Of the device ``auto`` the CPU does the rest, and the
``result`` has ``"device_failed": true``; one that was asked for by name gives an ``error`` with
the code ``device_failed``, and so do the requests that wait. Sending them to a new worker helps,
or, if it fails too, using ``cpu``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from gsema_core.configuration import build, check, setting
from gsema_core.configuration.building import LARGEST_INTEGER, short
from gsema_core.errors import UserError

PROTOCOL_VERSION = 2
PREFIX = "@gsema "
MAXIMUM_LINE_BYTES = 2**20
"""A request has a few paths in it; a line this long is a mistake. Our choice."""

HELLO, READY, PROGRESS, HEARTBEAT = "hello", "ready", "progress", "heartbeat"
RESULT, ERROR, CANCELLED = "result", "error", "cancelled"
"""The events. The last three end a request."""


class ProtocolError(UserError):
    """A line that is no request.

    Attributes:
        id: the request's number where it could be read.
    """

    def __init__(self, message: str, id: int | None = None) -> None:
        super().__init__(message)
        self.id = id


class ScanNeededError(UserError):
    """A request without a file names a scan that the worker does not keep."""

    code = "scan_needed"


_text = partial(setting, low=1)
"""A text that says something: a path, a name or a key."""


@dataclass(frozen=True)
class Request:
    """What all requests have; checked when made."""

    place: ClassVar[str] = "of the request"
    id: int = setting(low=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class SegmentRequest(Request):
    """Segment the scan ``input``, write the label map ``output``."""

    input: Path = _text()
    output: Path = _text()
    teacher: str = _text("default")
    device: str = _text("auto")
    settings: dict[str, Any] = field(default_factory=dict)
    probabilities: Path | None = _text(None)
    volume_key: str | None = _text(None)


@dataclass(frozen=True)
class PrepareRequest(Request):
    """Read and prepare the scan ``input``, load the teacher, and keep both."""

    input: Path = _text()
    volume_key: str = _text()
    teacher: str = _text("default")
    device: str = _text("auto")


@dataclass(frozen=True)
class ClickRequest(Request):
    """Segment the aneurysm at ``point_lps``, write the label map of its box to ``output``."""

    point_lps: tuple[float, float, float] = setting()
    output: Path = _text()
    input: Path | None = _text(None)
    volume_key: str | None = _text(None)
    teacher: str = _text("default")
    device: str = _text("auto")
    settings: dict[str, Any] = field(default_factory=dict)
    vessels: bool = True


ScanRequest = SegmentRequest | PrepareRequest | ClickRequest
"""What there is to do with a scan."""


@dataclass(frozen=True)
class CancelRequest(Request):
    """Stop the request with the number ``target``, whether it runs or waits."""

    target: int = setting(low=0)


@dataclass(frozen=True)
class DevicesRequest(Request):
    """The result has ``devices``, the one that ``auto`` takes first.

    With a teacher it also has what one of its windows costs: ``window_seconds``, ``window`` (size
    in voxels), ``spacing_mm`` and ``device``, the one that it was measured on.
    """

    teacher: str | None = _text(None)
    device: str = _text("auto")


@dataclass(frozen=True)
class CardRequest(Request):
    """The result has ``card``, what a teacher says about itself, and its ``sha256``."""

    teacher: str = _text("default")


@dataclass(frozen=True)
class QuitRequest(Request):
    """Stop everything and end the process."""


COMMANDS: dict[str, type[Request]] = {
    "segment": SegmentRequest,
    "prepare": PrepareRequest,
    "click": ClickRequest,
    "cancel": CancelRequest,
    "devices": DevicesRequest,
    "card": CardRequest,
    "quit": QuitRequest,
}


def decode_request(line: bytes) -> Request:
    """Read one line.

    Raises:
        ProtocolError: it is not a request: no JSON, unknown command, wrong or missing values.
    """
    try:
        values = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ProtocolError("A request is one JSON object a line; this line is not.") from None
    if not isinstance(values, dict):
        raise ProtocolError("A request is a JSON object with id and command.")
    number = values.pop("id", None)
    if type(number) is not int or not 0 <= number < LARGEST_INTEGER:
        raise ProtocolError("A request needs an id, a whole number from 0 on.")
    command = values.pop("command", None)
    kind = COMMANDS.get(command) if isinstance(command, str) else None
    if kind is None:
        known = ", ".join(COMMANDS)
        raise ProtocolError(f"The command {short(command)} is unknown: use {known}.", number)
    try:
        return build(kind, {"id": number, **values})
    except UserError as error:
        raise ProtocolError(str(error), number) from None


def encode_event(event: dict[str, Any]) -> str:
    """One line, with its end. ASCII only, so that no reader can cut a character in two."""
    return PREFIX + json.dumps(event, allow_nan=False) + "\n"


def split_lines(chunks: Iterable[bytes], limit: int = MAXIMUM_LINE_BYTES) -> Iterator[bytes | None]:
    """Cut a stream into lines without their ends; None stands for a line beyond ``limit``.

    Memory stays bounded: the rest of a line that is too long is thrown away as it comes. What
    follows the last line end is not a line.
    """
    rest, too_long = b"", False
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield None if too_long or len(line) > limit else line
            too_long = False
        if len(rest) > limit:
            rest, too_long = b"", True


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
