"""A training from the panel: started, watched, paused, stopped and resumed."""

from __future__ import annotations

import os
import re
import signal

import pytest
import slicer
import slicer.util

from gsema_core.errors import UserError

FINISHED = "Finished after step 40 of 40, epoch 4 of 4; the best model is that of step 10."


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
    assert not panel.ui.pictureLabel.pixmap.isNull()
    assert panel.ui.pictureInfoLabel.text.startswith("Step 40: above the reference, below the")
    combo = panel.ui.pictureComboBox
    assert [combo.itemText(n) for n in range(combo.count)] == ["Case 1", "Case 2"]
    combo.setCurrentIndex(1)
    assert "step-0000040-case-2.png" in panel.ui.pictureLabel.toolTip
    assert not panel.ui.trainButton.enabled
    assert "finished: press New" in panel.ui.trainButton.toolTip
    panel.ui.newFolderButton.click()
    assert panel.train.folder.path == tmp_path / "training-001"
    assert panel.ui.trainButton.enabled and status_of(panel) == "Ready: press Train."
    assert panel.shown == []


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
    assert "Stopped after" in status_of(panel) and "the best model" in status_of(panel)
    assert panel.ui.trainButton.text == "Go on"
    step = look().status.step
    panel.use("quick")
    panel.ui.trainButton.click()
    spin(lambda: look().isFinished, 60)
    assert look().status.step == 40 > step


def test_the_end_is_told_while_the_process_is_still_there(panel, begin, look, spin):
    """PyTorch takes seconds to leave after the status has said how it ended."""
    begin("linger")
    spin(lambda: look().status.step > 20)
    said, values = set(), []
    panel.ui.trainButton.click()

    def isGone() -> bool:
        view = look()
        if view.isRunning:
            said.add(status_of(panel).split(":")[0])
            values.append(panel.ui.progressBar.value)
        return not view.isRunning

    spin(isGone, 60)
    assert "Ending" in said <= {"Stopping", "Ending"}
    assert values == sorted(values) and values[0] >= 500
    assert panel.ui.progressBar.value == values[-1]
    assert "as soon as it has" not in panel.ui.trainButton.toolTip
    panel.use("quick")
    panel.ui.trainButton.click()
    assert status_of(panel) == "Starting..."  # and not what the session before has said


def test_a_killed_training_says_so_and_goes_on(panel, begin, look, spin):
    begin("crash")
    spin(lambda: not look().isRunning, 60)
    assert status_of(panel) == "The training was cut off at step 25: press Go on."
    assert panel.ui.trainButton.text == "Go on"
    panel.ui.trainButton.click()
    spin(lambda: look().isFinished, 60)
    assert status_of(panel) == FINISHED


def test_code_from_outside_is_asked_about_before_a_run_goes_on(
    panel, begin, look, spin, monkeypatch
):
    """A folder may be anybody's, and its configuration decides what is imported."""
    begin("crash")
    spin(lambda: not look().isRunning, 60)
    config = panel.train.folder.config
    text = config.read_text()
    config.write_text(re.sub("^preset = .*$", 'preset = "own_code:P"', text, flags=re.MULTILINE))
    asked = []
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda text: bool(asked.append(text)))
    panel.ui.trainButton.click()
    assert len(asked) == 1 and "own_code:P" in asked[0]
    assert not look().isRunning and panel.ui.trainButton.text == "Go on"


def test_code_from_outside_is_asked_about_before_a_run_begins(panel, add_cases, monkeypatch):
    """The settings may have come with a scene."""
    add_cases()
    panel.start.form.setChanges({"method": {"transform": ["paper", "own_code:T"]}})
    asked = []
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda text: bool(asked.append(text)))
    panel.ui.trainButton.click()
    assert len(asked) == 1 and "own_code:T" in asked[0]
    assert not panel.logic.isPreparing


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


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Questions of yes or no so far; the first is answered with no, the second with yes."""
    questions: list[str] = []
    answers = [False, True]

    def answer(text):
        questions.append(text)
        return answers.pop(0)

    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", answer)
    return questions


def test_the_cpu_is_offered_where_the_gpu_is_too_small(panel, begin, look, spin, asked):
    begin("gpu")
    spin(lambda: len(asked) == 1 and not look().isRunning, 60)
    assert "too little memory" in asked[0] and "much slower" in asked[0]
    assert panel.ui.trainButton.text == "Go on"
    panel.ui.trainButton.click()
    spin(lambda: look().isFinished, 60)
    assert len(asked) == 2
    assert 'device = "cpu"' in panel.train.folder.config.read_text()
    assert panel._choicesNow().device == "cpu"


def test_labels_that_look_wrong_are_asked_about_once(panel, begin, look, spin, asked):
    begin("labels")
    spin(lambda: len(asked) == 1 and not look().isRunning, 60)
    assert "more aneurysm than vessel" in asked[0] and "all the same?" in asked[0]
    assert "more aneurysm than vessel" in status_of(panel)  # no is no
    panel.ui.trainButton.click()
    spin(lambda: look().isFinished, 60)
    assert len(asked) == 2
    assert "accept_labels = true" in panel.train.folder.config.read_text()


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
    panel.ui.plotsButton.click()
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 3
    step = look().status.step
    scene.Clear()
    spin(lambda: look().status.step > step)
    assert look().isRunning
    assert panel.cases.cases == []
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 0
    panel.ui.plotsButton.click()
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 3


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


def test_a_panel_that_was_left_shows_the_training_when_it_is_entered_again(
    panel, begin, look, spin
):
    begin("slow")
    widget = slicer.modules.gsematraining.widgetRepresentation()
    widget.exit()
    step = look().status.step
    spin(lambda: panel.train.view.status.step > step + 5)
    widget.enter()
    assert panel.ui.trainButton.text == "Stop" and "Training: step" in status_of(panel)
