"""What is exported lazily has its type, and a misspelt name is an error for type checkers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import gsema_core
from gsema_core import segmment
from gsema_core.training import TrainingConfg
from gsema_core import Volume, segment

reveal_type(segment)
reveal_type(Volume.geometry)
gsema_core.segment_at_piont
result: int = segment("case.nrrd")
"""


@pytest.mark.slow
def test_names_and_types_behind_lazy_imports(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(program)],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    for name in ("segmment", "TrainingConfg", "segment_at_piont"):
        assert re.search(rf'has no attribute "{name}"', done.stdout), done.stdout
    assert "-> gsema_core.inference.segmentation_result.SegmentationResult" in done.stdout
    assert 'Revealed type is "gsema_core.grids.geometry.Geometry"' in done.stdout
    assert "Incompatible types in assignment" in done.stdout
