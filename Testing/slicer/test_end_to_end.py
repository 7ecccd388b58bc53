"""The whole way with the real worker, and the demo; the network is tiny and knows nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import slicer.util
import vtk
from pydicom import dcmread

from gsema_core.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def logic(scene, segmentation_module):
    made = segmentation_module.GSEMASegmentationLogic()
    yield made
    made.stop()


def test_the_real_worker_segments_a_volume(logic, make_balls, tiny_teacher):
    rng = np.random.default_rng(0)
    volume = make_balls(softness=1.6)
    slicer.util.arrayFromVolume(volume)[:] += rng.normal(0, 5, (52, 56, 60))
    slicer.util.arrayFromVolumeModified(volume)
    steps = []
    node = logic.segment(
        volume, str(tiny_teacher), "cpu", onProgress=lambda *step: steps.append(step)
    )
    segment_ids = list(node.GetSegmentation().GetSegmentIDs())
    assert segment_ids[:2] == ["GSEMA_Vessel", "GSEMA_Aneurysm"]
    assert len(segment_ids) == 1 + max(1, len(logic.aneurysms))  # what a tiny network calls so
    fractions = [fraction for fraction, _ in steps]
    assert fractions == sorted(fractions)
    assert "Segmenting" in [phase for _, phase in steps]
    assert logic.report["teacher"]["name"] == "tiny"
    assert logic.report["device"]["name"] == "cpu"
    pid = logic._client.pid
    with pytest.raises(UserError, match="image flat has the same value"):
        flat = slicer.util.addVolumeFromArray(np.zeros((9, 9, 9), np.float32), name="flat")
        logic.segment(flat, str(tiny_teacher), "cpu")
    with pytest.raises(UserError, match="no model named none"):
        logic.segment(volume, "none")
    with pytest.raises(UserError, match="device"):
        logic.segment(volume, str(tiny_teacher), "toaster")
    assert logic._client.pid == pid  # none of these was worth a new process


DEMO = """
import sys
sys.path.insert(0, {demo!r})
import run_demo
if {missing!r}:
    run_demo.slicer_harness.missing_libraries = lambda: {missing!r}
sys.exit(run_demo.main({arguments!r}))
"""


def run_demo(teacher: Path, output: Path, missing: list[str]) -> str:
    arguments = ["--teacher", str(teacher), "--output", str(output), "--model", "light"]
    code = DEMO.format(demo=str(ROOT / "demo"), missing=missing, arguments=arguments)
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_demo_leaves_what_it_promises(scene, tiny_teacher, tmp_path):
    out = run_demo(tiny_teacher, tmp_path / "out", missing=[])
    names = ["aneurysms.csv", "case.mrb", "case.nrrd", "case.png", "case.seg.dcm",
             "case.seg.nrrd", "case.sr.dcm"]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [*names, "dicom"]
    assert all(str(tmp_path / "out" / name) in out for name in names)
    slicer.util.loadScene(str(tmp_path / "out" / "case.mrb"))
    assert slicer.util.getNode("case").GetImageData().GetDimensions()[0] > 90
    scene.Clear()
    node = slicer.util.loadSegmentation(str(tmp_path / "out" / "case.seg.nrrd"))
    segment = node.GetSegmentation().GetSegment("GSEMA_Aneurysm")
    assert segment.GetName() in ("Aneurysm", "Aneurysm 1")
    assert segment.GetColor() == pytest.approx((1.0, 176 / 255, 0.0), abs=1e-3)
    tag = vtk.reference("")
    assert segment.GetTag("TerminologyEntry", tag) and "128059003" in tag.get()
    check_sent_back(tmp_path / "out", node)
    rows = (tmp_path / "out" / "aneurysms.csv").read_text().splitlines()
    assert rows[0].startswith("index,largest_diameter_mm,neck_width_mm,height_mm,width_mm,")
    reader = vtk.vtkPNGReader()
    reader.SetFileName(str(tmp_path / "out" / "case.png"))
    reader.Update()
    low, high = reader.GetOutput().GetScalarRange()
    assert high - low > 150


def check_sent_back(folder, node):
    """The DICOM SEG is of the demo's series, and has the voxels of Slicer's own file."""
    import highdicom

    seg = highdicom.seg.segread(folder / "case.seg.dcm")
    one = dcmread(folder / "dicom" / "slice_000.dcm")
    assert seg.StudyInstanceUID == one.StudyInstanceUID
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == one.SeriesInstanceUID
    assert seg.FrameOfReferenceUID == one.FrameOfReferenceUID
    volume = slicer.util.loadVolume(str(folder / "case.nrrd"))
    labels = [one.SegmentLabel for one in seg.SegmentSequence]
    for segment_id in node.GetSegmentation().GetSegmentIDs():
        mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
        name = node.GetSegmentation().GetSegment(segment_id).GetName()
        if mask.any():
            number = labels.index(name if name in labels else f"{name} 1") + 1
            found = seg.get_volume(segment_numbers=[number], allow_missing_positions=True)
            assert found.array.sum() == mask.sum()


@pytest.mark.slow
def test_without_opengl_only_the_picture_is_left_out(scene, tiny_teacher, tmp_path):
    out = run_demo(tiny_teacher, tmp_path / "out", missing=["libEGL.so.1"])
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["aneurysms.csv", "case.mrb", "case.nrrd", "case.seg.dcm", "case.seg.nrrd",
                     "case.sr.dcm", "dicom"]  # fmt: skip
    assert out.count("apt-get install") == 1
    assert "libEGL.so.1 cannot be loaded" in out
