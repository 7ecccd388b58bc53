"""The training panel starts, shows and stops a training in its own process."""

from __future__ import annotations

import sys

import pytest
import slicer.util

QUICK = "import sys; print('step 1 of 1', sys.argv[1]); print('warning: ü', file=sys.stderr)"
FAILING = "import sys; sys.exit('error: the datalist is missing.')"
# Waits for the interrupt that a trainer answers with a checkpoint.
LONG = """
import os, time
print('@gsema pid ' + str(os.getpid()), flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print('checkpoint written', flush=True)
"""


@pytest.fixture
def panel(scene, training_module):
    slicer.app.userSettings().clear()
    module = slicer.modules.gsematraining
    widget = module.widgetRepresentation()
    widget.enter()
    yield widget.self()
    module.closeWidget()


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "run 患者.toml"
    path.write_text("[run]\n")
    return path


def run(panel, config, program, spin):
    panel.logic._command = [sys.executable, "-c", program]
    panel.ui.configPathLineEdit.currentPath = str(config)
    panel.ui.trainButton.click()


def test_a_configuration_is_needed(panel, tmp_path):
    assert not panel.ui.trainButton.enabled
    assert "Choose a training configuration" in panel.ui.trainButton.toolTip
    panel.ui.configPathLineEdit.currentPath = str(tmp_path / "none.toml")
    panel.ui.trainButton.click()
    assert "choose a .toml file" in panel.ui.statusLabel.text
    assert not panel.logic.isRunning


def test_a_training_runs_and_its_lines_are_shown(panel, config, spin):
    run(panel, config, QUICK, spin)
    assert panel.ui.trainButton.text == "Stop"
    assert not panel.ui.configPathLineEdit.enabled
    spin(lambda: not panel.logic.isRunning)
    assert panel.ui.statusLabel.text == "The training is finished."
    shown = panel.ui.logTextEdit.toPlainText()
    assert f"step 1 of 1 {config}" in shown
    assert "warning: ü" in shown
    assert panel.ui.trainButton.text == "Start"


def test_a_failing_training_says_so(panel, config, spin):
    run(panel, config, FAILING, spin)
    spin(lambda: not panel.logic.isRunning)
    assert "failed" in panel.ui.statusLabel.text
    assert "the datalist is missing" in panel.ui.logTextEdit.toPlainText()


def test_stop_lets_the_checkpoint_be_written(panel, config, spin):
    run(panel, config, LONG, spin)
    spin(lambda: panel.logic._process.pid is not None)
    panel.ui.trainButton.click()
    assert not panel.ui.trainButton.enabled
    spin(lambda: not panel.logic.isRunning)
    assert "checkpoint written" in panel.ui.logTextEdit.toPlainText()
    assert "start it again to go on" in panel.ui.statusLabel.text


def test_closing_the_panel_ends_the_training(panel, config, spin):
    run(panel, config, LONG, spin)
    spin(lambda: panel.logic._process.pid is not None)
    slicer.modules.gsematraining.closeWidget()
    assert not panel.logic.isRunning


def test_the_real_program_refuses_a_wrong_configuration(panel, config, spin):
    config.write_text("[run]\nno_such_setting = 1\n")
    panel.ui.configPathLineEdit.currentPath = str(config)
    panel.ui.trainButton.click()
    spin(lambda: not panel.logic.isRunning, seconds=60)
    assert "failed" in panel.ui.statusLabel.text
    assert "no_such_setting" in panel.ui.logTextEdit.toPlainText()


def test_the_last_configuration_is_remembered(panel, config):
    panel.ui.configPathLineEdit.currentPath = str(config)
    module = slicer.modules.gsematraining
    module.closeWidget()
    again = module.widgetRepresentation().self()
    assert again.ui.configPathLineEdit.currentPath == str(config)
