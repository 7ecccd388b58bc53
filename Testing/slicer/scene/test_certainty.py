from __future__ import annotations

import numpy as np
import slicer
import slicer.util

from gsema_core.labels import ANEURYSM, VESSEL


def test_the_segment_keeps_what_the_run_said(make_balls, make_logic, scene, tmp_path):
    from GSEMASegmentationLib.measure.MeasurementTable import cellReasons, cellText
    from GSEMASegmentationLib.scene.Certainty import certaintyOf, keepCertainty
    from GSEMASegmentationLib.scene.SegmentationOutput import importSegments
    from GSEMASegmentationLib.scene.SegmentContent import segmentsOf

    volume = make_balls()
    values = slicer.util.arrayFromVolume(volume)
    values[5:9, 5:9, 5:9] = 200
    labels = np.select([values == 200, values == 100], [ANEURYSM, VESSEL]).astype(np.uint8)
    contents = segmentsOf(labels)
    node = importSegments(contents, volume, None)
    rows = [
        {"index": 2, "voxels": 64, "certainty": 0.71},
        {"index": 1, "voxels": int(contents[1].mask.sum()), "certainty": 0.9349},
    ]
    keepCertainty(node, contents, rows)
    assert certaintyOf(node, "GSEMA_Aneurysm") == 0.9349
    assert certaintyOf(node, "GSEMA_Aneurysm_2") == 0.71
    assert certaintyOf(node, "GSEMA_Vessel") is None
    table = make_logic("good").measure(node)
    assert [cellText(table, row, "certainty") for row in (0, 1)] == ["0.93", "0.71"]
    assert not any("certainty" in cellReasons(table, row) for row in (0, 1))

    path = tmp_path / "case.mrb"
    slicer.util.saveScene(str(path))
    scene.Clear()
    slicer.util.loadScene(str(path))
    (again,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert certaintyOf(again, "GSEMA_Aneurysm") == 0.9349

    # A row of another aneurysm is not taken for that of this one, nor kept from before.
    keepCertainty(again, contents, [{"index": 1, "voxels": 3, "certainty": 0.5}])
    assert certaintyOf(again, "GSEMA_Aneurysm") is None
    assert certaintyOf(again, "GSEMA_Aneurysm_2") is None
    table = make_logic("good").measure(again)
    assert cellReasons(table, 0)["certainty"].startswith("Only the model that drew")
