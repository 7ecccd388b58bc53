"""How long it still takes, and how long it will take."""

from __future__ import annotations

import pytest
import slicer

CPU = {
    "device": {"name": "cpu", "threads": 4},
    "teacher": {"name": "default"},
    "settings": {"overlap": 0.5},
}
GPU = {
    "device": {"name": "cuda:0", "model": "X100", "free_bytes": 6.2e9, "memory_bytes": 8e9},
    "teacher": {"name": "default"},
}


@pytest.fixture
def times(scene, segmentation_module):
    from GSEMASegmentationLib.panels import DeviceText

    slicer.app.userSettings().clear()
    return DeviceText


@pytest.fixture
def remaining(scene, segmentation_module):
    """A run of which half a minute went by before its first tenth was done."""
    from GSEMASegmentationLib.panels.RemainingTime import RemainingTime

    now = [100.0]
    made = RemainingTime(lambda: now[0])

    def at(seconds, fraction):
        now[0] = 100.0 + seconds
        return made.seconds(fraction)

    return at


def test_the_start_up_does_not_count(remaining):
    assert remaining(30, 0.0) is None
    assert remaining(30, 0.05) is None
    assert remaining(40, 0.08) is None  # too early to judge
    assert remaining(50, 0.25) == pytest.approx(20 * 0.75 / 0.2)
    assert remaining(50, 1.0) == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "a few seconds"), (9, "a few seconds"), (12, "about 10 s"), (53, "about 55 s"),
     (58, "about 1 min"), (200, "about 3 min")],
)  # fmt: skip
def test_durations_are_rounded(scene, segmentation_module, seconds, text):
    from GSEMASegmentationLib.panels.RemainingTime import durationText

    assert durationText(seconds) == text


def test_before_the_first_run_nothing_is_claimed(times, make_balls):
    assert times.deviceText(make_balls(), "default", "auto", 0.5).startswith("Not known yet")


def test_the_last_run_is_the_measure(times, make_balls):
    volume = make_balls()
    times.rememberRun(CPU, volume, 100.0)
    text = "CPU, 4 threads; {} for this volume, judged by the last run"
    assert times.deviceText(volume, "default", "auto", 0.5) == text.format("about 2 min")
    assert times.deviceText(volume, "default", "cpu", 0.0) == text.format("about 10 s")  # an eighth
    volume.SetSpacing(0.4, 0.8, 0.8)
    assert times.deviceText(volume, "default", "auto", 0.5) == text.format("about 50 s")


def test_the_start_of_the_program_does_not_grow_with_the_volume(times, make_balls):
    volume = make_balls()
    times.rememberRun({**CPU, "seconds": {"load": 40.0, "windows": 55.0}}, volume, 100.0)
    text = "CPU, 4 threads; {} for this volume, judged by the last run"
    assert times.deviceText(volume, "default", "auto", 0.5) == text.format("about 2 min")
    volume.SetSpacing(0.8, 0.8, 1.6)  # 40 s and twice 60 s
    assert times.deviceText(volume, "default", "auto", 0.5) == text.format("about 3 min")


def test_other_teachers_and_devices_are_not_judged_by_it(times, make_balls):
    volume = make_balls()
    times.rememberRun(CPU, volume, 100.0)
    assert times.deviceText(volume, "other", "auto", 0.5) == "CPU, 4 threads"
    assert times.deviceText(None, "default", "auto", 0.5) == "CPU, 4 threads"
    assert times.deviceText(volume, "default", "cuda", 0.5).startswith("Not known yet")


MEASURED = {"window_seconds": 2.0, "window": [20, 20, 20], "spacing_mm": 1.6}


def test_a_gpu_is_shown_with_its_free_memory(times, make_balls):
    times.rememberMeasurement("default", {"devices": [GPU["device"]]})
    text = times.deviceText(make_balls(), "default", "cuda", 0.5)
    assert text == "X100, 6 of 8 GB free"


def test_before_the_first_run_one_window_is_the_measure(times, make_balls):
    volume = make_balls()  # 60 x 56 x 52 voxels of 0.8 mm: 30 x 28 x 26 of the network's
    found = {"devices": [GPU["device"], CPU["device"]], "device": "cpu", **MEASURED}
    times.rememberMeasurement("default", found)
    text = "CPU, 4 threads; {} or less for this volume, judged by one window"
    assert times.deviceText(volume, "default", "cpu", 0.0) == text.format("about 15 s")  # 8 windows
    assert times.deviceText(volume, "default", "cpu", 0.75) == text.format("about 55 s")  # 27
    volume.SetSpacing(0.8, 0.8, 0.4)
    assert times.deviceText(volume, "default", "cpu", 0.0) == text.format("a few seconds")
    assert times.deviceText(volume, "other", "cpu", 0.0) == "CPU, 4 threads"
    assert times.deviceText(None, "default", "cpu", 0.0) == "CPU, 4 threads"


def test_a_run_knows_better_than_a_window_and_both_are_kept(times, make_balls):
    volume = make_balls()
    found = {"devices": [CPU["device"]], "device": "cpu", **MEASURED}
    times.rememberMeasurement("default", found)
    times.rememberRun(CPU, volume, 100.0)
    assert times.deviceText(volume, "default", "cpu", 0.5).endswith("judged by the last run")
    times.rememberMeasurement("other", found)
    assert times.deviceText(volume, "default", "cpu", 0.5).endswith("judged by the last run")
    assert times.deviceText(volume, "other", "cpu", 0.5).endswith("judged by one window")
    other = {**found, "devices": [GPU["device"]], "device": "cuda:0"}
    times.rememberMeasurement("default", other)
    assert times.deviceText(volume, "default", "cuda", 0.5).endswith("judged by one window")


@pytest.mark.parametrize("broken", ["", "no JSON", "[1]", '{"device": 3}', '{"device": {}}'])
def test_a_broken_setting_is_no_matter(times, make_balls, broken):
    slicer.app.userSettings().setValue(times.SETTING, broken)
    assert times.deviceText(make_balls(), "default", "auto", 0.5)


def test_the_panel_shows_what_is_left_and_remembers_the_run(panel, make_balls, fake_worker, spin):
    panel.logic._client._command = fake_worker("slow")
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.segmentButton.click()
    spin(lambda: panel.ui.statusLabel.text == "Segmenting, a few seconds left...")
    panel.ui.segmentButton.click()
    spin(lambda: not panel.logic.isRunning)
    panel.logic.stop()
    panel.logic._client._command = fake_worker("reports")
    panel.ui.segmentButton.click()
    spin(lambda: not panel.logic.isRunning)
    assert panel.ui.deviceInfoLabel.text == (
        "CPU, 2 threads; a few seconds for this volume, judged by the last run"
    )


def test_measuring_asks_the_worker(panel, make_balls, spin):
    panel.ui.checkDeviceButton.click()
    assert not panel.ui.checkDeviceButton.enabled
    assert panel.ui.deviceInfoLabel.text == "Measuring..."
    spin(lambda: panel.ui.checkDeviceButton.enabled)
    assert panel.ui.deviceInfoLabel.text == "X100, 6 of 8 GB free"
    panel.ui.inputSelector.setCurrentNode(make_balls())
    assert panel.ui.deviceInfoLabel.text.endswith("for this volume, judged by one window")
    panel.ui.deviceComboBox.currentIndex = 1
    assert panel.ui.deviceInfoLabel.text.startswith("Not known yet")
    panel.ui.checkDeviceButton.click()
    spin(lambda: panel.ui.checkDeviceButton.enabled)
    assert panel.ui.deviceInfoLabel.text.startswith("CPU, 2 threads; ")


def test_measuring_says_why_it_cannot(panel, spin):
    panel.logic._client._command = ["/no/such/program"]
    panel.ui.checkDeviceButton.click()
    spin(lambda: panel.ui.checkDeviceButton.enabled)
    assert "/no/such/program cannot be run" in panel.ui.deviceInfoLabel.text
