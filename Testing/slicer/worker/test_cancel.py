"""Cancel at every moment, with the fake and the real worker: the scene is as before, or whole."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import slicer
import slicer.util

from gsema_core.errors import Cancelled

STRANGE = "Patient \"Ü\" 患者 مريض '1'"
ANEURYSM = (14.0, 1.0, 3.0)


def test_cancel_during_the_import_is_too_late_and_the_result_is_whole(
    make_logic, make_balls, scene
):
    logic, volume, outcomes = make_logic("good"), make_balls(), []

    def cancel(caller, event):
        logic.cancel()

    tag = scene.AddObserver(scene.NodeAddedEvent, cancel)
    try:
        node = logic.segment(volume, onDone=outcomes.append)
    finally:
        scene.RemoveObserver(tag)
    assert not outcomes[0].isCancelled
    assert node.GetSegmentation().GetNumberOfSegments() == 2
    assert node.GetSegmentation().ContainsRepresentation("Closed surface")
    assert node.GetDisplayNode() is not None
    assert not logic.isRunning
    assert logic.segment(volume, outputSegmentation=node) is node


def test_a_second_cancel_and_one_without_a_run_are_no_matter(make_logic, make_balls):
    logic, volume = make_logic("slow"), make_balls()
    logic.cancel()

    def cancel(fraction, phase):
        logic.cancel()
        logic.cancel()

    with pytest.raises(Cancelled):
        logic.segment(volume, onProgress=cancel)
    logic.cancel()
    with pytest.raises(Cancelled):
        logic.segment(volume, onProgress=cancel)


@pytest.fixture
def real(gone, scene, segmentation_module, monkeypatch, tmp_path):
    """A logic with the real worker, in a folder with a name that programs stumble over."""
    folder = tmp_path / STRANGE
    folder.mkdir()
    monkeypatch.setattr(type(slicer.app), "temporaryPath", property(lambda self: str(folder)))
    made = segmentation_module.GSEMASegmentationLogic()
    yield made
    pid = made._client.pid
    made.stop()
    assert pid is None or gone(pid)
    assert list(folder.iterdir()) == []


@pytest.fixture
def noisy_balls(make_balls):
    volume = make_balls(softness=1.6, name=STRANGE)
    noise = np.random.default_rng(0).normal(0, 5, (52, 56, 60))
    slicer.util.arrayFromVolume(volume)[:] += noise
    slicer.util.arrayFromVolumeModified(volume)
    return volume


@pytest.mark.slow
def test_the_real_worker_stops_in_every_phase(gone, real, noisy_balls, tiny_teacher, scene, spin):
    """Cold, it is importing PyTorch; warm, it is in the middle of a run or at its end."""
    nodes, pids = scene.GetNumberOfNodes(), set()
    for phase in ("Reading the scan", "Loading the model", "Segmenting", "Measuring aneurysms"):
        started = []

        def cancel(fraction, now, phase=phase, started=started):
            if now == phase and not started:
                started.append(time.monotonic())
                real.cancel()

        with pytest.raises(Cancelled):
            real.segment(noisy_balls, str(tiny_teacher), "cpu", onProgress=cancel)
        assert time.monotonic() - started[0] < 2.0, phase
        assert scene.GetNumberOfNodes() == nodes, phase
        pids.add(real._client.pid)
    node = real.segment(noisy_balls, str(tiny_teacher), "cpu")
    assert node.GetName().startswith(STRANGE)
    spin(lambda: all(pid is None or pid == real._client.pid or gone(pid) for pid in pids))


@pytest.mark.slow
def test_the_real_worker_takes_a_teacher_and_clicks_in_a_strange_folder(
    real, noisy_balls, tiny_teacher, tmp_path
):
    teacher = Path(tmp_path / STRANGE).with_suffix(".safetensors")
    teacher.write_bytes(tiny_teacher.read_bytes())
    outcome = real.segmentAtPoint(noisy_balls, ANEURYSM, teacher=str(teacher), device="cpu")
    assert outcome.kind in ("found", "nothing")  # what a network that knows nothing says
    assert outcome.report["teacher"]["name"] == "tiny"
