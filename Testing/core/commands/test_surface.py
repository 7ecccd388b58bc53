from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gsema_core.cli import main
from gsema_core.exit_codes import EXIT_USER_ERROR
from gsema_core.files import write_labels
from gsema_core.grids import Geometry, Volume


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A straight vessel with a sac, in a segmentation as Slicer saves it."""
    k, j, i = np.indices((24, 24, 44))
    array = ((k - 9) ** 2 + (j - 9) ** 2 <= 16).astype(np.uint8)
    array[:, :, [0, 1, 42, 43]] = 0
    array[(k - 16) ** 2 + (j - 9) ** 2 + (i - 22) ** 2 <= 25] = 2
    path = tmp_path / "case.seg.nrrd"
    write_labels(Volume(array, Geometry((44, 24, 24), (0.5, 0.5, 0.5), (5.0, 6.0, 7.0))), path)
    return path


def test_surface(labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, report = tmp_path / "lumen.stl", tmp_path / "lumen.json"
    assert main(["surface", str(labels), "-o", str(output), "--report", str(report)]) == 0
    captured = capsys.readouterr()
    assert "2 open ends" in captured.out
    assert "note: STL holds no labels" in captured.err
    written = json.loads(report.read_text())
    assert written["volume_before_cuts_mm3"] == pytest.approx(
        written["volume_of_labels_mm3"], rel=0.001
    )
    assert len(written["open_ends"]) == 2
    right, anterior, superior = written["open_ends"][0]["position_ras_mm"]
    assert anterior == pytest.approx(-(6 + 9 * 0.5), abs=0.3)
    assert superior == pytest.approx(7 + 9 * 0.5, abs=0.3)
    assert -26 < right < -5


def test_options(labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "lumen.ply"
    command = ["surface", str(labels), "-o", str(output), "--closed", "--all", "--split"]
    assert main([*command, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"case.seg.nrrd", "lumen.ply", "lumen-vessel.ply", "lumen-aneurysm.ply"}


def test_refusals(labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for output, words in (
        (tmp_path / "lumen.obj", "end its name with"),
        (tmp_path / "missing" / "lumen.stl", "does not exist"),
    ):
        assert main(["surface", str(labels), "-o", str(output)]) == EXIT_USER_ERROR
        assert words in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["case.seg.nrrd"]
