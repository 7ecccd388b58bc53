from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from gsema_core.evaluation import summarize_cases
from gsema_core.evaluation.paper_tables import latex_page


def page(scored: Callable[..., Any], **options: Any) -> str:
    cases = [
        scored("a_1 & {b}", 0.5, center="50 % \\x"),
        scored("[c]", 0.25, ((6.0, False),), 1, center="B#", sensitivity=float("nan")),
    ]
    return latex_page(summarize_cases(cases), cases, ["1 skipped:\n\\end{x}."], **options)


def test_every_row_has_every_cell(scored: Callable[..., Any]) -> None:
    text = page(scored)
    tables = re.findall(r"\\begin\{tabular\}\{(l?r*)\}\n(.*?)\\end\{tabular\}", text, re.DOTALL)
    assert len(tables) == text.count("\\begin") == text.count("\\end{tabular}") == 4
    for columns, body in tables:
        rows = [line for line in body.splitlines() if line != r"\hline"]
        for row in rows:
            assert row.endswith(r" \\")
            assert len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1


def test_names_are_text(scored: Callable[..., Any]) -> None:
    text = page(scored)
    assert r"a\_1 \& \{b\} & 50 \% \textbackslash{}x &" in text
    assert "{[}c{]} & B\\# &" in text  # after \\ a bracket would be a length
    assert "% 1 skipped: \\end{x}.\n" in text  # one line, so all of it is a comment


def test_percent(scored: Callable[..., Any]) -> None:
    assert r"Dice & 0.375 (0.250 to 0.500) &" in page(scored)
    text = page(scored, percent=True)
    assert r"Dice (\%) & 37.5 (25.0 to 50.0) &" in text
    assert "HD95 (mm) & 1.00 (1.00 to 1.00) &" in text
    # 1 found, 1 missed, 1 false: 2 / 4.
    assert re.search(r"F1 .*\(\\%\) & 50\.0 \(0\.0 to 100\.0\)", text)
    assert "surface voxels" in text.splitlines()[2]
