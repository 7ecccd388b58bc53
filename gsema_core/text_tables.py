"""Rows of values as tables: aligned text for terminals, Markdown for pages, LaTeX for papers.

Short functions and no package: one more to install in Slicer would save a dozen lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

_LATEX = {
    **{letter: "\\" + letter for letter in "&%$#_{}"},
    **{letter: "{" + letter + "}" for letter in "[]*"},  # after \\ they are its arguments
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\n": " ",
    "\r": " ",
}
"""Letters that LaTeX takes for commands, or prints as others in its oldest fonts."""


def text_table(rows: Sequence[Row]) -> list[str]:
    """Rows as aligned lines under the names of all their columns."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[name.replace("_", " ") for name in names]]
    cells += [[shown(row.get(name)) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        ).rstrip()
        for line in cells
    ]


def markdown_table(rows: Sequence[Row], titles: Mapping[str, str] | None = None) -> str:
    """Rows as a Markdown table under the first one's column names, or their ``titles``."""
    names = list(rows[0])
    lines = [[(titles or {}).get(name, name.replace("_", " ")) for name in names]]
    lines += [["---"] * len(names)]
    lines += [[shown(row[name]) for name in names] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def latex_table(rows: Sequence[Row], titles: Mapping[str, str] | None = None) -> str:
    r"""Rows as a LaTeX ``tabular`` that needs no package: the first column left, others right.

    Names may have any letters, also those that LaTeX takes for commands.

    Example:
        >>> print(latex_table([{"case": "a_1", "Dice": 0.5}]))
        \begin{tabular}{lr}
        \hline
        case & Dice \\
        \hline
        a\_1 & 0.5 \\
        \hline
        \end{tabular}
    """
    names = list(rows[0])
    lines = [[(titles or {}).get(name, name.replace("_", " ")) for name in names]]
    lines += [[shown(row[name]) for name in names] for row in rows]
    head, *body = [" & ".join(map(latex_text, line)) + r" \\" for line in lines]
    begin = rf"\begin{{tabular}}{{l{'r' * (len(names) - 1)}}}"
    return "\n".join([begin, r"\hline", head, r"\hline", *body, r"\hline", r"\end{tabular}"])


def latex_text(text: str) -> str:
    r"""Text whose every letter LaTeX prints as it is.

    >>> print(latex_text("50 % of A_1 & {B}"))
    50 \% of A\_1 \& \{B\}
    """
    return "".join(_LATEX.get(letter, letter) for letter in text).replace("--", "-{}-")


def shown(value: Any, nothing: str = "-") -> str:
    """A value as people read it; ``nothing`` where there is none."""
    if value is None or value != value:  # NaN is not itself
        return nothing
    return f"{value:.4g}" if isinstance(value, float) else str(value)
