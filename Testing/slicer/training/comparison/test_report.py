"""The report of a comparison in words."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"verdict": "same", "cases": [{}], "p_value": 0.5}, "no clear difference on 1 test cases"),
        ({"verdict": "better", "cases": [{}] * 8, "p_value": 0.0078}, "p = 0.0078)."),
        ({}, "0 test cases were compared"),
    ],
)
def test_the_verdict_in_words(training_module, report, expected):
    from GSEMATrainingLib.comparison.Report import rows, verdictText

    assert expected in verdictText(report)
    assert isinstance(rows(report), list)
