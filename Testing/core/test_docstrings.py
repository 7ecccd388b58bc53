"""The examples in docstrings do what they show."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import Any

import pytest

import gsema_core
from gsema_core.files import write_labels, write_volume

PACKAGE = Path(gsema_core.__file__).parent
WITH_EXAMPLES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(
    name: str, scan: Any, truth: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_volume(scan, tmp_path / "case.nrrd")
    write_labels(truth, tmp_path / "labels.nrrd")
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted and not result.failed


def test_the_public_face_shows_how_it_is_used() -> None:
    """Every name of it but the error and the simplest class has an example or arguments told."""
    for name in sorted(set(dir(gsema_core)) & PUBLIC):
        documentation = getattr(gsema_core, name).__doc__ or ""
        assert documentation.strip(), name
        assert ">>>" in documentation or "Args:" in documentation or name == "UserError", name


PUBLIC = {
    "Geometry", "Segmenter", "TrainingConfig", "UserError", "Volume", "load_teacher",
    "measure_aneurysms", "read_labels", "read_volume", "segment", "segment_at_points", "train",
    "write_labels", "write_volume",
}  # fmt: skip


def test_the_public_face_stays() -> None:
    assert set(dir(gsema_core)) >= PUBLIC
    from gsema_core.teachers import BUNDLED_TEACHER

    assert BUNDLED_TEACHER.is_file()
