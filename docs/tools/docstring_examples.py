"""An extension of Griffe: examples in docstrings are shown as code.

Griffe takes ``Examples:`` for examples and ``Example:`` for a note, in which Markdown makes
quotations of ``>>>``. An example that doctest cannot run begins with ``Example::``.
"""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_RUN = re.compile(r"^( *)Example:$", re.MULTILINE)
_SHOWN = re.compile(r"^( *)Example::$", re.MULTILINE)


class DocstringExamples(Extension):
    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring:
            text = _RUN.sub(r"\1Examples:", obj.docstring.value)
            obj.docstring.value = _SHOWN.sub(r"\1**Example:**", text)
