"""The list of cases, kept with the scene and in files."""

from __future__ import annotations

import json

import slicer.util


def test_the_list_is_kept_with_the_scene(panel, make_case, tmp_path, scene):
    make_case("kept")
    panel.cases.addFromScene()
    before = panel.cases.cases
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear()
    assert panel.cases.cases == []
    slicer.util.loadScene(path)
    panel.initializeParameterNode()
    assert panel.cases.cases == before
    volume, segmentation = panel.cases.nodesOf(before[0])
    assert (volume.GetName(), segmentation.GetName()) == ("kept", "kept labels")


def test_a_damaged_list_in_a_scene_is_empty(panel):
    panel._parameterNode.cases = "{broken"
    panel._parameterNode.segmentLabels = "[1, 2]"
    assert panel.cases.cases == []
    assert panel.cases._list.segmentLabels == {}


def test_the_list_is_saved_and_loaded(panel, add_cases, make_case, tmp_path, spin):
    from gsema_core.datasets import read_datalist

    add_cases()
    make_case("of the scene")
    panel.cases.addFromScene()
    path = tmp_path / "site" / "all.json"
    panel.cases.save(str(path))
    assert panel.shown == []
    saved = read_datalist(path)
    assert [case.patient for case in saved] == [case.patient for case in panel.cases.cases]
    assert [case.use for case in saved] == [case.use for case in panel.cases.cases]
    assert json.loads(path.read_text())["cases"][0]["image"] == "scan-0.nrrd"
    assert saved[4].image.name == "case-005.nrrd"  # its name is in the list, not in a file's name
    assert slicer.util.loadVolume(str(saved[4].image)).GetImageData().GetDimensions() == (
        60,
        56,
        52,
    )


def test_an_unwritable_list_is_explained(panel, add_cases, tmp_path):
    add_cases()
    panel.cases.save(str(tmp_path / "none" / "list.json"))
    assert "does not exist" in panel.shown[0]
