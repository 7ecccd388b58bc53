"""The panel's rows are made from the settings' fields; nothing in the panel names a setting."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
import slicer

from gsema_core.configuration import setting
from gsema_core.inference import settings


@dataclass(frozen=True)
class Extended(settings.SegmentationSettings):
    brightness: float = setting(
        2.0, "How bright it must be.", low=1, high=3, step=0.5, group=settings.FINDS
    )


@pytest.fixture
def extended(monkeypatch):
    monkeypatch.setattr(settings, "SegmentationSettings", Extended)


def test_a_setting_that_is_added_has_a_row_and_reaches_the_worker(extended, panel, sent):
    row = panel.settings.fields["brightness"].widget
    assert (row.minimum, row.maximum, row.value, row.singleStep) == (1.0, 3.0, 2.0, 0.5)
    assert row.toolTip == "How bright it must be. Default: 2."
    row.value = 2.5
    assert sent()["settings"] == {"brightness": 2.5}
    assert json.loads(panel._parameterNode.settings) == {"brightness": 2.5}


def test_every_setting_that_is_chosen_by_hand_has_a_row(panel):
    from gsema_core.configuration import settings_of

    chosen = {one.name for one in settings_of(settings.SegmentationSettings) if one.group}
    assert set(panel.settings.fields) == chosen
    assert {"walls_by_scan", "minimum_vessel_mm3", "threads", "memory_limit_gb"} <= chosen


def test_a_click_is_told_only_what_means_something_there(panel):
    panel.settings.fields["minimum_vessel_mm3"].widget.value = 20.0
    panel.settings.fields["aneurysm_threshold"].widget.value = 0.3
    panel.settings.fields["walls_by_scan"].widget.click()
    kept = {"aneurysm_threshold": 0.3, "walls_by_scan": False}
    assert panel.settings.valuesAtAClick == kept
    assert kept.items() <= panel._clickChoices().items()


@pytest.mark.parametrize(
    "kept", ["", "no JSON", "[1]", '{"overlap": "much"}', '{"overlap": 7, "unheard_of": 1}']
)
def test_a_scene_with_senseless_settings_shows_the_defaults(panel, kept):
    panel.settings.fields["overlap"].widget.value = 0.25
    panel._parameterNode.settings = kept
    assert panel.settings.values == {}


def test_a_value_that_a_box_rounds_stays_what_it_was(panel):
    panel._parameterNode.settings = '{"overlap": 0.125}'
    box = panel.settings.fields["overlap"].widget
    assert box.value in (0.12, 0.13)
    assert panel.settings.values == {"overlap": 0.125}
    assert panel._parameterNode.settings == panel.settings.ofCase
    box.value = 0.3
    assert panel.settings.values == {"overlap": 0.3}


def test_the_console_takes_every_setting_by_its_name_in_camel_case(
    make_logic, make_balls, monkeypatch
):
    logic, requests = make_logic("good"), []
    submit = logic._client.submit
    monkeypatch.setattr(
        logic._client,
        "submit",
        lambda command, **named: requests.append(named) or submit(command, **named),
    )
    logic.segment(make_balls(), wallsByScan=False, minimumVesselMm3=20, threads=1)
    assert requests[0]["settings"] == {
        "walls_by_scan": False, "minimum_vessel_mm3": 20, "threads": 1,
    }  # fmt: skip
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode") is not None
