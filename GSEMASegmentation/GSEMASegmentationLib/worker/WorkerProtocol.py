"""The worker's language: one JSON object a line; the worker's own lines begin with a prefix."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

PREFIX = "@gsema "
PROTOCOL = 2


@dataclass(frozen=True)
class WorkerEvent:
    """One message of the worker.

    Attributes:
        kind: hello, progress, result, error or cancelled.
        requestId: the request it answers; None for hello and for errors outside a request.
        data: everything else in the message.
    """

    kind: str
    requestId: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


def parseLine(line: str) -> WorkerEvent | None:
    """Return the message in a line, or None where the line is plain log output or damaged."""
    if not line.startswith(PREFIX):
        return None
    try:
        message = json.loads(line[len(PREFIX) :])
    except ValueError:
        return None
    if not isinstance(message, dict) or not isinstance(message.get("event"), str):
        return None
    kind = message.pop("event")
    requestId = message.pop("id", None)
    if requestId is not None and not isinstance(requestId, int):
        return None
    return WorkerEvent(kind, requestId, message)


def encodeRequest(requestId: int, command: str, **fields: Any) -> bytes:
    """One request as the bytes of a line; text stays ASCII, whatever the paths contain."""
    return (json.dumps({"id": requestId, "command": command, **fields}) + "\n").encode("ascii")
