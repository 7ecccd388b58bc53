"""What users of a panel read: a model, where code and papers say teacher."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import gsema_core

CORE = Path(gsema_core.__file__).parent
ROOMS = ("teachers", "networks", "inference", "worker", "intensities", "machine", "measurements")


def errors_of(path: Path) -> list[str]:
    """The sentences of the errors that a file raises, without what is filled in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc]
    return [
        "".join(str(part.value) for part in ast.walk(one) if isinstance(part, ast.Constant))
        for one in raised
        if isinstance(one, ast.Call) and ast.unparse(one.func).endswith("Error")
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_errors_that_a_panel_shows_say_model(room):
    files = sorted((CORE / room).rglob("*.py"))
    sentences = [text for path in files for text in errors_of(path)]
    assert files and (sentences or room == "measurements")
    assert [text for text in sentences if "teacher" in text.lower()] == []


def test_why_a_certainty_is_missing_says_model():
    from gsema_core.measurements.aneurysms import NO_CERTAINTY

    assert "the model that" in NO_CERTAINTY
