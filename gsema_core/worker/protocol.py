"""The worker's language, as pure functions: lines to requests, events to lines.

docs/reference/worker.md tells what the requests and events are.
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

PROTOCOL_VERSION = 3
PREFIX = "@gsema "
MAXIMUM_LINE_BYTES = 2**20
"""A request has a few paths in it; a line this long is a mistake. Our choice."""

HELLO, READY, PROGRESS, HEARTBEAT = "hello", "ready", "progress", "heartbeat"
RESULT, ERROR, CANCELLED = "result", "error", "cancelled"
"""The events. The last three end a request."""

Point = tuple[float, float, float]
"""A position in mm (LPS)."""


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
    """Segment the one aneurysm of some clicks, write the label map of its box to ``output``.

    ``inside_lps`` are in the aneurysm, at least one, ``outside_lps`` on what is not part of it.
    """

    inside_lps: tuple[Point, ...] = setting()
    output: Path = _text()
    input: Path | None = _text(None)
    volume_key: str | None = _text(None)
    teacher: str = _text("default")
    device: str = _text("auto")
    settings: dict[str, Any] = field(default_factory=dict)
    vessels: bool = True
    outside_lps: tuple[Point, ...] = setting(())

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.inside_lps:
            raise UserError(f"Setting inside_lps {self.place} is []: give at least one point.")


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
