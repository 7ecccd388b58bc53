"""The example for the real application, here on the harness."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
import slicer
import slicer.util

EXAMPLE = Path(__file__).resolve().parents[1] / "headless_example.py"


@pytest.mark.slow
def test_it_leaves_its_files(scene, segmentation_module, tiny_teacher, tmp_path, capsys):
    example = runpy.run_path(str(EXAMPLE))
    files = example["run"](tmp_path, str(tiny_teacher))
    slicer.modules.gsemasegmentation.closeWidget()
    assert all(path.stat().st_size > 50 for path in files)
    assert "aneurysms, on cpu" in capsys.readouterr().out
    scene.Clear()
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    assert (
        slicer.util.getNode("3DRA phantom aneurysms").GetSegmentation().GetSegment("GSEMA_Vessel")
    )


def test_what_goes_wrong_is_told_and_ends_slicer(
    scene, segmentation_module, monkeypatch, tmp_path, capsys
):
    from GSEMASegmentationLib.worker import SampleScan

    codes = []
    monkeypatch.setattr(slicer.util, "exit", codes.append)
    monkeypatch.setattr(SampleScan, "PROGRAM", "raise SystemExit('no space left')")
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), str(tmp_path)])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    slicer.modules.gsemasegmentation.closeWidget()
    assert codes == [1]
    assert "error: The sample could not be made (no space left)" in capsys.readouterr().err
