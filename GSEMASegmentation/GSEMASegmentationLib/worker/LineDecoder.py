"""Bytes from a process in, whole lines of text out."""

from __future__ import annotations

import codecs

LONGEST_LINE = 1_000_000
"""Characters after which a line without an end is passed on in pieces; ours."""


class LineDecoder:
    """Decodes UTF-8 as it arrives: a character or a line may be cut anywhere between two chunks."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that ``data`` completes, without their ends."""
        text = self._rest + self._decoder.decode(data)
        *lines, self._rest = text.split("\n")
        if len(self._rest) > LONGEST_LINE:
            lines.append(self._rest)
            self._rest = ""
        return [line.rstrip("\r") for line in lines]

    def flush(self) -> list[str]:
        """Return the last line, which the process did not end."""
        rest = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        self._decoder.reset()
        return [rest.rstrip("\r")] if rest else []
