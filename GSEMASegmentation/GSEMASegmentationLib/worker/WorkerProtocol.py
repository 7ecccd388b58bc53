"""The panel's side of the worker's language: events out of lines, requests into lines.

``gsema_core.worker.protocol`` is the other side; docs/reference/worker.md tells the requests and
events.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from gsema_core.worker.protocol import CANCELLED, ERROR, PREFIX, RESULT


@dataclass(frozen=True)
class WorkerEvent:
    """One message of the worker.

    Attributes:
        kind: which event it is.
        requestId: the request it answers; None for a greeting, and for errors outside a request.
        data: everything else in the message.
    """

    kind: str
    requestId: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkerOutcome:
    """How a request ended.

    Attributes:
        kind: RESULT, ERROR or CANCELLED of ``gsema_core.worker.protocol``.
        message: for an error, one sentence for the user.
        data: what the worker sent with a result or an error.
    """

    kind: str
    message: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def isResult(self) -> bool:
        return self.kind == RESULT

    @property
    def isError(self) -> bool:
        return self.kind == ERROR

    @property
    def isCancelled(self) -> bool:
        return self.kind == CANCELLED


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
