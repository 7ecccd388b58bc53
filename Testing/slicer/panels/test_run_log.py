"""The panel's log, and the choices of the section Advanced on their way to the worker."""

from __future__ import annotations

import re

import pytest
import slicer

from gsema_core.errors import UserError


@pytest.fixture
def log(scene, segmentation_module):
    from GSEMASegmentationLib.panels.RunLog import RunLog

    lines, now = [], [10.0]
    made = RunLog(lines.append, lambda: now[0])
    made.lines, made.now = lines, now
    return made


def test_a_phase_is_told_once_with_its_time(log):
    log.begin("Segmenting case")
    assert re.fullmatch(r"\d\d:\d\d:\d\d Segmenting case", log.lines[0])
    for seconds, phase in ((0.0, "Reading"), (1.5, "Segmenting"), (2.0, "Segmenting")):
        log.now[0] = 10.0 + seconds
        log.phase(phase)
    log.end("No aneurysm was found.")
    assert log.lines[1:] == [
        "  0.0 s: Reading", "  1.5 s: Segmenting", "  2.0 s: No aneurysm was found."
    ]  # fmt: skip


def test_what_a_report_lacks_is_left_out(log):
    log.begin("x")
    log.end("Done.", {"device": None, "seconds": [], "notes": ["Noisy."]})
    assert log.lines[2:] == ["  Note: Noisy."]


def test_a_run_in_the_panel_leaves_its_story(panel, make_balls, fake_worker, spin):
    panel.logic._client._command = fake_worker("reports")
    panel.ui.inputSelector.setCurrentNode(make_balls(name="case"))
    panel.ui.segmentButton.click()
    spin(lambda: not panel.logic.isRunning)
    text = panel.ui.logTextEdit.plainText
    for part in (
        "Segmenting case: model default, device auto",
        "s: Reading the scan",
        "s: 1 aneurysm was found.",
        "Device: CPU, 2 threads",
        "Model: default, file 01234567",
        "Program: gsema_core 0, torch 2.8.0",
        "Settings: overlap 0.5",
        "Seconds: read 0.25, windows 12.5",
        "Note: The scan is noisy.",
    ):
        assert part in text
    assert "None" not in text
    assert panel.ui.statusLabel.text == "1 aneurysm was found. The scan is noisy."


def test_errors_cancelling_and_clicks_are_in_the_log_too(panel, make_balls, fake_worker, spin):
    panel.ui.inputSelector.setCurrentNode(make_balls(name="case"))
    for mode, said in (("error", "The volume is constant"), ("exit", "something deep inside")):
        panel.logic.stop()
        panel.logic._client._command = fake_worker(mode)
        panel.ui.segmentButton.click()
        spin(lambda: not panel.logic.isRunning)
        assert said in panel.ui.logTextEdit.plainText
    panel.logic._client._command = fake_worker("good")
    panel.clicks.onPoint((14.0, 1.0, 3.0))
    spin(lambda: not panel.logic.isRunning)
    text = panel.ui.logTextEdit.plainText
    assert "Looking at R 14.0, A 1.0, S 3.0 mm..." in text
    assert "s: Aneurysm of 2" in text
    panel.ui.clickButton.click()
    spin(lambda: "s: Ready for clicks" in panel.ui.logTextEdit.plainText)
    assert "Handing case over for clicks" in panel.ui.logTextEdit.plainText
    panel.ui.clickButton.click()


def test_the_log_is_capped(panel):
    for number in range(2500):
        panel._appendLog(f"line {number}")
    lines = panel.ui.logTextEdit.plainText.split("\n")
    assert len(lines) == 2000
    assert lines[-1] == "line 2499"


def test_the_choices_reach_the_worker(panel, sent):
    widgets = {name: field.widget for name, field in panel.settings.fields.items()}
    widgets["memory_limit_gb"].value = 12.5
    widgets["minimum_certainty"].value = 0.8
    widgets["skip_empty"].click()
    widgets["walls_by_scan"].click()
    widgets["minimum_vessel_mm3"].value = 6.0
    assert sent()["settings"] == {
        "minimum_certainty": 0.8, "skip_empty": False, "walls_by_scan": False,
        "minimum_vessel_mm3": 6.0, "memory_limit_gb": 12.5,
    }  # fmt: skip


def test_without_a_choice_no_setting_is_sent(panel, sent):
    limit = panel.settings.fields["memory_limit_gb"].widget
    limit.value = 0.5
    limit.value = limit.minimum
    assert limit.specialValueText == "No limit"
    assert sent()["settings"] == {}


def test_the_memory_limit_belongs_to_the_computer(panel, scene):
    panel.settings.fields["memory_limit_gb"].widget.value = 16.0
    panel.settings.fields["overlap"].widget.value = 0.25
    slicer.modules.gsemasegmentation.closeWidget()
    again = slicer.modules.gsemasegmentation.widgetRepresentation().self()
    assert again.settings.values["memory_limit_gb"] == 16.0
    slicer.app.userSettings().setValue("GSEMASegmentation/Settings/memory_limit_gb", "much")
    slicer.modules.gsemasegmentation.closeWidget()
    again = slicer.modules.gsemasegmentation.widgetRepresentation().self()
    assert "memory_limit_gb" not in again.settings.values


def test_the_requests_are_ones_that_the_real_worker_takes(scene, segmentation_module):
    from GSEMASegmentationLib.worker.RunSettings import RunSettings
    from GSEMASegmentationLib.worker.WorkerProtocol import encodeRequest

    from gsema_core.worker.protocol import decode_request

    chosen = RunSettings.fromNames("default", "cpu", skipEmpty=False, memoryLimitGb=12.5)
    line = encodeRequest(1, "segment", input="a", output="b", **chosen.toRequest())
    assert decode_request(line).settings == {"skip_empty": False, "memory_limit_gb": 12.5}


def test_an_unknown_setting_is_refused(make_logic, make_balls):
    with pytest.raises(UserError, match="overlapp"):
        make_logic("good").segment(make_balls(), overlapp=0.5)


def test_a_dark_application_gets_the_dark_icon(harness, segmentation_module):
    import qt
    from GSEMASegmentationLib.panels.ModuleIcon import isDark, moduleIcon

    path = slicer.modules.gsemasegmentation.path
    before = slicer.app.palette()
    try:
        assert moduleIcon(path) is None
        dark = qt.QPalette(before)
        dark.setColor(qt.QPalette.Window, qt.QColor("#323232"))
        slicer.app.setPalette(dark)
        assert isDark()
        assert not moduleIcon(path).isNull()
        assert moduleIcon("/somewhere/Other.py") is None
    finally:
        slicer.app.setPalette(before)
