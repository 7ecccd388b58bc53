"""A training from the panel: copied, started apart from Slicer, watched, paused and resumed."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import slicer
import slicer.util

from gsema_core.errors import UserError
from gsema_core.training.status import Status

FINISHED = "Finished after step 40 of 40, epoch 4 of 4; the best teacher is that of step 10."


SHRUNK = "The memory of cuda:0 is too small for the settings: going on with patch 64 x 64 x 64."


def status_of(panel):
    return panel.ui.statusLabel.text


def test_a_training_runs_to_its_end(panel, begin, look, spin, tmp_path):
    begin("quick")
    spin(lambda: look().isFinished, 60)
    assert status_of(panel) == FINISHED
    assert panel.ui.progressBar.value == panel.ui.progressBar.maximum
    assert "CPU, 1.5 GB, 0.5 s a step, best aneurysm Dice 0.50 at step 10" in (
        panel.ui.machineLabel.text
    )
    assert "[40/40] loss" in panel.ui.logTextEdit.toPlainText()
    assert not panel.ui.thumbnailLabel.pixmap.isNull()
    assert panel.ui.thumbnailInfoLabel.text.startswith("Step 40: green the reference")
    assert not panel.ui.trainButton.enabled
    assert "finished: press New" in panel.ui.trainButton.toolTip
    panel.ui.newFolderButton.click()
    assert panel.train.folder.path == tmp_path / "training-001"
    assert panel.ui.trainButton.enabled and status_of(panel) == ""
    assert panel.shown == []


def test_the_copies_have_numbers_for_names(panel, begin, look, spin, tmp_path):
    begin("quick")
    spin(lambda: look().isFinished, 60)
    listed = json.loads((tmp_path / "run" / "datalist.json").read_text())["cases"]
    assert [case["patient"] for case in listed] == ["001", "002", "003", "004"]
    assert [case["image"] for case in listed][:2] == ["cases/case-001.nrrd", "cases/case-002.nrrd"]
    assert {case["center"] for case in listed} == {"Clinic"}
    assert [case["use"] for case in listed] == [case.use for case in panel.cases.cases]


def test_no_identifier_is_anywhere_in_the_folder(panel, make_case, begin, look, spin, tmp_path):
    """Neither of a volume of the scene with DICOM attributes, nor of a file with a header."""
    volume, segmentation = make_case("Doe^Jane 1960")
    volume.SetAttribute("DICOM.instanceUIDs", "1.2.840.99.1 1.2.840.99.2")
    segmentation.SetAttribute("DICOM.PatientID", "PID-4711")
    panel.cases.addFromScene()
    begin_all = panel.cases.cases
    panel.cases.addPath(str(tmp_path / "site" / "datalist.json"))
    spin(lambda: not panel.cases.reader.isRunning)
    assert len(panel.cases.cases) == len(begin_all) + 4
    begin("quick")
    spin(lambda: look().isFinished and not panel.logic.isComparing, 60)
    found = sorted(path for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert len(found) > 15
    for path in found:
        for name in ("Doe", "Jane", "1.2.840", "4711", "Muster", "Max0", "scan-0", "site"):
            assert name not in str(path.relative_to(tmp_path)), path
            assert name.encode() not in path.read_bytes(), (name, path)


def test_what_is_copied_is_what_was_drawn(panel, make_case, begin, look, spin, tmp_path):
    """On an oblique grid; and later edits of the scene do not reach the training."""
    import SimpleITK as sitk

    volume, segmentation = make_case("oblique", matrix=OBLIQUE)
    before = slicer.util.arrayFromVolume(volume).copy()
    panel.cases.addFromScene()
    begin("slow")
    ids = segmentation.GetSegmentation().GetSegmentIDs()
    slicer.util.arrayFromVolume(volume)[:] = 7
    slicer.util.arrayFromVolumeModified(volume)
    segmentation.GetSegmentation().RemoveSegment(ids[1])
    assert look().isRunning
    image = sitk.ReadImage(str(tmp_path / "run/cases/case-001.nrrd"))
    labels = sitk.ReadImage(str(tmp_path / "run/cases/case-001-labels.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(image), before)
    expected = np.where(before == 200, 2, np.where(before == 100, 1, 0))
    assert np.array_equal(sitk.GetArrayFromImage(labels), expected)
    assert image.GetDirection() == pytest.approx(labels.GetDirection())
    point = image.TransformIndexToPhysicalPoint((3, 4, 5))
    r, a, s, _one = OBLIQUE @ (3, 4, 5, 1)
    assert point == pytest.approx((-r, -a, s), abs=1e-4)


ANGLE = np.radians(25)
OBLIQUE = np.array(
    [
        [0.7 * np.cos(ANGLE), -0.7 * np.sin(ANGLE), 0, -10],
        [0.7 * np.sin(ANGLE), 0.7 * np.cos(ANGLE), 0, -30],
        [0, 0, 0.9, -18],
        [0, 0, 0, 1],
    ]
)


def test_pause_and_resume(panel, begin, look, spin):
    begin("slow")
    spin(lambda: look().status.state == "training")
    assert (panel.ui.trainButton.text, panel.ui.pauseButton.text) == ("Stop", "Pause")
    panel.ui.pauseButton.click()
    spin(lambda: look().status.state == "paused")
    assert status_of(panel).startswith("Paused at step")
    assert panel.ui.pauseButton.text == "Resume"
    step = look().status.step
    panel.ui.pauseButton.click()
    spin(lambda: look().status.step > step and status_of(panel).startswith("Training: step"))


def test_stop_and_go_on(panel, begin, look, spin):
    begin("slow")
    spin(lambda: look().status.step > 20)
    assert "left" in status_of(panel)
    panel.ui.trainButton.click()
    assert "Stopping" in status_of(panel)
    spin(lambda: not look().isRunning)
    assert "Stopped after" in status_of(panel) and "is kept" in status_of(panel)
    assert panel.ui.trainButton.text == "Go on"
    step = look().status.step
    panel.use("quick")
    panel.ui.trainButton.click()
    spin(lambda: look().isFinished, 60)
    assert look().status.step == 40 > step


def test_a_killed_training_says_so_and_goes_on(panel, begin, look, spin):
    begin("crash")
    spin(lambda: not look().isRunning, 60)
    assert status_of(panel) == "The training was cut off at step 25: press Go on."
    assert panel.ui.trainButton.text == "Go on"
    panel.ui.trainButton.click()
    spin(lambda: look().isFinished, 60)
    assert status_of(panel) == FINISHED


def test_a_worker_killed_from_outside_is_seen(panel, begin, look, spin):
    begin("slow")
    spin(lambda: look().status.step > 3)
    os.kill(look().status.pid, signal.SIGKILL)
    spin(lambda: not look().isRunning)
    assert "cut off at step" in status_of(panel)


def test_a_failure_is_told_in_its_own_words(panel, begin, look, spin):
    begin("failed")
    spin(lambda: not look().isRunning, 60)
    assert "No space left on device" in status_of(panel)
    assert panel.ui.trainButton.text == "Go on"


def test_a_change_that_the_training_made_is_told(panel, begin, look, spin):
    """As when the memory of the GPU was not enough."""
    begin("memory")
    spin(lambda: look().isFinished, 60)
    assert status_of(panel).splitlines() == [FINISHED, SHRUNK]


def test_the_cpu_is_offered_where_the_gpu_is_too_small(panel, begin, look, spin, monkeypatch):
    asked, answers = [], [False, True]

    def answer(text):
        asked.append(text)
        return answers.pop(0)

    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", answer)
    begin("gpu")
    spin(lambda: len(asked) == 1 and not look().isRunning, 60)
    assert "too little memory" in asked[0] and "much slower" in asked[0]
    assert panel.ui.trainButton.text == "Go on"
    panel.ui.trainButton.click()
    spin(lambda: look().isFinished, 60)
    assert len(asked) == 2
    assert 'device = "cpu"' in panel.train.folder.config.read_text()
    assert panel._choicesNow().device == "cpu"


def test_a_second_training_is_refused(panel, begin, look, spin, tmp_path, add_cases):
    from GSEMATrainingLib.run.Preparation import checkStart
    from GSEMATrainingLib.run.RunFolder import RunFolder

    begin("slow")
    spin(lambda: look().isRunning and look().folder.isRunning)
    with pytest.raises(UserError, match="A training is running"):
        panel.logic.goOn(RunFolder(tmp_path / "run"))
    with pytest.raises(UserError, match=r"runs in .* already"):
        checkStart(RunFolder(tmp_path / "run"), panel.cases.cases)
    panel.ui.runFolderPathLineEdit.currentPath = str(tmp_path / "other")
    panel.ui.trainButton.click()
    assert "A training is running" in panel.shown[-1]
    panel.ui.runFolderPathLineEdit.currentPath = str(tmp_path / "run")
    assert look().isRunning


def test_another_process_in_the_folder_is_refused_by_the_training_itself(
    panel, begin, look, spin, fake, tmp_path
):
    """As when two Slicers chose one folder at the same moment."""
    begin("slow")
    spin(lambda: look().folder.isRunning)
    command = [*fake("quick"), "train", str(tmp_path / "run" / "config.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Another run (process" in done.stderr


def test_the_folder_vanishing_is_told(panel, begin, look, spin, tmp_path):
    begin("slow")
    spin(lambda: look().status.step > 3)
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    look()
    assert "is gone" in status_of(panel)
    spin(lambda: not look().isRunning, 30)
    assert "is gone" in status_of(panel)
    assert not panel.ui.pauseButton.enabled


def test_closing_the_scene_leaves_the_training_alone(panel, begin, look, spin, scene):
    begin("slow")
    spin(lambda: look().status.step > 12)
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 3
    step = look().status.step
    scene.Clear()
    spin(lambda: look().status.step > step)
    assert look().isRunning
    assert panel.cases.cases == []
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 3  # made again


def test_closing_the_scene_while_copying_stops_the_copying(panel, make_case, spin, scene, tmp_path):
    for number in range(3):
        make_case(f"case {number}")
    panel.cases.addFromScene()
    panel.ui.trainButton.click()
    assert panel.logic.isPreparing
    scene.Clear()
    assert not panel.logic.isPreparing
    assert not (tmp_path / "run" / "cases").exists()


def test_copying_can_be_cancelled(panel, make_case, tmp_path):
    make_case()
    panel.cases.addFromScene()
    panel.ui.trainButton.click()
    assert panel.ui.trainButton.text == "Cancel"
    panel.ui.trainButton.click()
    assert not panel.logic.isPreparing
    assert not (tmp_path / "run" / "cases").exists()
    assert panel.ui.trainButton.text == "Train"
    assert (panel.shown, status_of(panel)) == ([], "Cancelled.")


def test_a_reopened_panel_finds_the_running_training(panel, begin, look, spin, fake):
    begin("slow")
    spin(lambda: look().status.step > 3)
    pid = look().status.pid
    module = slicer.modules.gsematraining
    module.closeWidget()
    again = module.widgetRepresentation().self()
    module.widgetRepresentation().enter()
    assert again.train.view.isRunning
    assert again.train.view.status.pid == pid
    # The panel may have opened in the middle of a validation.
    spin(lambda: status_of(again).startswith("Training: step"))
    assert again.ui.trainButton.text == "Stop"
    again.ui.trainButton.click()
    spin(lambda: not again.train.folder.isRunning)


def test_the_training_outlives_the_program_that_started_it(
    training_module, fake, tmp_path, spin, tiny_teacher, monkeypatch
):
    from GSEMATrainingLib.run.RunFolder import RunFolder

    monkeypatch.setenv("FAKE_TEACHER", str(tiny_teacher))
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "datalist.json").write_text("{}")
    command = [*fake("slow"), "train", str(tmp_path / "config.toml")]
    program = f"""
        import os, sys
        sys.path[:0] = {sys.path!r}
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from slicer_harness import boot
        sys.path.pop(0)
        boot(with_widgets=False)
        from GSEMATrainingLib.run.TrainingProcess import TrainingProcess
        TrainingProcess().start({command!r}, Path({str(tmp_path / "train.log")!r}))
        os._exit(0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
    folder = RunFolder(tmp_path)
    spin(lambda: folder.isRunning and folder.status() is not None)
    folder.stop()
    spin(lambda: not folder.isRunning)
    assert folder.status().state == "stopped"


def test_a_full_disk_while_copying_is_explained(panel, make_case, monkeypatch, tmp_path, spin):
    def full(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    make_case()
    panel.cases.addFromScene()
    monkeypatch.setattr(os, "replace", full)
    panel.ui.trainButton.click()
    spin(lambda: not panel.logic.isPreparing)
    assert "No space left on device" in panel.shown[0]
    assert "No space left on device" in status_of(panel)
    assert not (tmp_path / "run" / "cases").exists()
    assert not panel.train.view.isRunning


def test_a_file_that_went_away_is_explained(panel, add_cases, tmp_path, spin):
    add_cases()
    (tmp_path / "site" / "label-2.nrrd").unlink()
    panel.ui.trainButton.click()
    spin(lambda: not panel.logic.isPreparing, 60)
    assert "label-2.nrrd" in panel.shown[0]
    assert not (tmp_path / "run" / "cases").exists()


def test_mixed_cases_train_together(panel, begin, make_case, look, spin, tmp_path, datalist):
    """Another spacing, grid and label values; files and nodes."""
    import SimpleITK as sitk

    coarse = np.diag([1.1, 0.9, 1.4, 1.0])
    make_case("coarse", matrix=coarse)
    panel.cases.addFromScene()
    entries = json.loads(datalist.read_text())["cases"]
    path = datalist.parent / entries[0]["label"]
    labels = sitk.ReadImage(str(path))
    sitk.WriteImage(sitk.Cast(labels * 10, sitk.sitkInt16), str(path))
    entries[0]["relabel"] = [[0, 0], [10, 1], [20, 2]]
    datalist.write_text(json.dumps({"cases": entries}))
    panel.cases.addPath(str(datalist))
    spin(lambda: not panel.cases.reader.isRunning)
    assert "Voxels are 0.6 to 1.4 mm" in panel.ui.casesInfoLabel.text
    begin("quick")
    spin(lambda: look().isFinished, 60)
    for number in range(1, 6):
        written = sitk.ReadImage(str(tmp_path / f"run/cases/case-{number:03d}-labels.nrrd"))
        assert set(np.unique(sitk.GetArrayFromImage(written))) == {0, 1, 2}


def test_validation_without_an_aneurysm_is_told_before(panel, make_case):
    import dataclasses

    make_case("with")
    make_case("without")
    panel.cases.addFromScene()
    first, second = panel.cases.cases
    panel.cases._list._write(
        [first, dataclasses.replace(second, aneurysms=0, use="validation")],
    )
    assert "No validation case has an aneurysm" in panel.ui.casesInfoLabel.text


def test_a_training_by_time_shows_no_total(training_module, tmp_path):
    from GSEMATrainingLib.run.RunFolder import RunFolder
    from GSEMATrainingLib.run.RunWatch import RunView, sentence
    from GSEMATrainingLib.run.TrainingChoices import ENDLESS

    status = Status("training", step=8, steps=ENDLESS, seconds=60.0, seconds_left=180.0)
    view = RunView(RunFolder(tmp_path), status, isRunning=True)
    assert sentence(view) == "Training: step 8, epoch 0; about 3 min left."
    assert status.fraction == 0.25


def test_half_written_files_are_no_trouble(training_module, tmp_path):
    from GSEMATrainingLib.run.RunFolder import RunFolder

    folder = RunFolder(tmp_path)
    assert (folder.status(), folder.rows("steps.csv"), folder.logText()) == (None, [], "")
    (tmp_path / "status.json").write_text('{"state": "train')
    assert folder.status() is None
    (tmp_path / "steps.csv").write_text("step,loss\n5,0.5\n10,0.")
    assert folder.rows("steps.csv") == [{"step": "5", "loss": "0.5"}]
    (tmp_path / "train.log").write_bytes(b"x" * 300_000 + b"\nlast \xff line\n")
    assert folder.logText() == "last \N{REPLACEMENT CHARACTER} line\n"


def test_plots_follow_the_files(panel, begin, look, spin, scene):
    begin("quick")
    spin(lambda: look().isFinished, 60)
    charts = {node.GetName(): node for node in slicer.util.getNodesByClass("vtkMRMLPlotChartNode")}
    assert sorted(charts) == ["Gate", "Losses", "Validation Dice"]
    assert charts["Losses"].GetNumberOfPlotSeriesNodes() == 3
    series = charts["Validation Dice"].GetNthPlotSeriesNode(0)
    table = series.GetTableNode().GetTable()
    assert series.GetYColumnName() == "aneurysm_dice"
    assert [table.GetValueByName(row, "step").ToInt() for row in range(4)] == [10, 20, 30, 40]
    assert table.GetValueByName(3, "aneurysm_dice").ToDouble() == pytest.approx(0.4)
    assert not table.IsA("vtkMRMLNode") and not series.GetSaveWithScene()
    panel.ui.plotsButton.click()  # without a window there is no view, and no error
    module = slicer.modules.gsematraining
    module.closeWidget()
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 0


def test_missing_packages_are_told(panel, add_cases, monkeypatch):
    from GSEMASegmentationLib.install.Requirements import PACKAGES
    from GSEMATrainingLib import TrainingLogic

    add_cases()
    monkeypatch.setattr(TrainingLogic, "missingPackages", lambda: list(PACKAGES[:1]))
    panel.ui.trainButton.click()
    assert panel.shown == ["A training needs PyTorch: press Install in the section Installation."]
