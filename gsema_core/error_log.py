"""Tracebacks of unexpected errors, in a file beside what a run writes.

Whoever uses a program reads one sentence; whoever mends it needs the traceback.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gsema_core.errors import Cancelled, UserError

EXPECTED = (UserError, Cancelled, KeyboardInterrupt, MemoryError)
"""What a sentence explains in full."""

_LOGGER = logging.getLogger("gsema_core")


def log_unexpected(
    error: BaseException, path: Path, what: str, private: Iterable[str] = ()
) -> None:
    """Append an error's traceback to a log file, unless a sentence explains it.

    Args:
        error: what was raised.
        path: the log; where it cannot be opened, the traceback goes to stderr.
        what: one sentence on what failed.
        private: names of patients, which are left out.
    """
    if isinstance(error, EXPECTED):
        return
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    for name in filter(None, private):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "(name)", text)
    handler: logging.Handler
    try:
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError:
        handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    _LOGGER.addHandler(handler)
    try:
        _LOGGER.error("%s\n%s", what, text)
    finally:
        _LOGGER.removeHandler(handler)
        with suppress(OSError):  # a full disk shows at the latest now
            handler.close()
