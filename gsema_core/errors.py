"""The errors that a user is meant to read."""

import unicodedata
from collections.abc import Sequence

_UNSHOWN = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode's categories of control characters, half pairs, line and paragraph separators."""

ERROR_PREFIX = "error: "
"""How the line on standard error begins with which a ``gsema`` command tells a UserError."""

LONGEST = 1000
"""Characters of a message: two long paths fit; a value of a megabyte does not. Our choice."""


class UserError(ValueError):
    """Bad input, explained in one sentence.

    The message names the value, says what was expected and what to do about it. The command
    line, the worker and the Slicer panels show it as it is, without a traceback. What it quotes
    may come from a hostile file: control characters are spelled out, so that it stays one line
    and no terminal obeys it, and what is far too long loses its middle.

    Args:
        message: the sentence.
        table: lines that a terminal shows below it, such as what there is to choose from.

    Attributes:
        full: the message as it was given, with all that it quotes.
    """

    def __init__(self, message: str = "", table: Sequence[str] = ()) -> None:
        self.full = message
        self.table = ["".join(map(_shown, line)) for line in table]
        if len(message) > LONGEST:
            message = f"{message[: LONGEST - 300]} ... {message[-295:]}"
        super().__init__("".join(map(_shown, message)))


def refusal_of(reasons: Sequence[str]) -> UserError:
    """One error for all that was found wrong in the same step: the first, and the others below it.

    >>> error = refusal_of(["The case a is cut off.", "The case b has no scan."])
    >>> str(error), error.table
    ('The case a is cut off. 1 more cannot be used.', ['The case b has no scan.'])
    """
    first, *others = reasons
    return UserError(f"{first} {len(others)} more cannot be used." if others else first, others)


class BrokenOffError(UserError):
    """Work that had begun cannot go on, through no fault of its input: what is done stays."""


class DeviceFailedError(BrokenOffError):
    """A processor stopped working while it was in use; only a new process may get it back."""

    code = "device_failed"


class Cancelled(Exception):
    """The user asked for the running work to stop; nothing was written."""


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _UNSHOWN:
        return character
    return character.encode("unicode_escape").decode("ascii")
