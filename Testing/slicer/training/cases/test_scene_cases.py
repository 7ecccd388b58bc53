"""Labelled scans of the scene: which can be used, and their label maps."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util

from gsema_core.errors import UserError


def test_segments_on_another_grid_and_transform_are_brought_to_the_volume(
    scene, training_module, make_case, make_balls, ijk_to_ras
):
    """The balls lie at the same places of the world, whatever the grids."""
    from GSEMATrainingLib.cases.SceneCases import labelArray, labelsById

    _volume, segmentation = make_case("labelled")
    shift = np.eye(4)
    shift[:3, 3] = (2.0, -1.0, 3.0)
    other = make_balls(ijk_to_ras, parent=shift, name="other")
    labels = labelsById(segmentation, {"Vessel": 1, "Aneurysm": 2})
    found = labelArray(other, segmentation, labels)
    expected = slicer.util.arrayFromVolume(other)
    for label, value in ((1, 100), (2, 200)):
        inside, there = found == label, expected == value
        dice = 2 * (inside & there).sum() / (inside.sum() + there.sum())
        assert dice > 0.9


def test_a_segmentation_elsewhere_is_refused(scene, training_module, make_case, make_balls):
    from GSEMATrainingLib.cases.SceneCases import labelArray

    _volume, segmentation = make_case()
    away = np.diag([0.8, 0.8, 0.8, 1.0])
    away[:3, 3] = 500
    ids = dict.fromkeys(segmentation.GetSegmentation().GetSegmentIDs(), 1)
    with pytest.raises(UserError, match="Nothing of balls labels lies within far"):
        labelArray(make_balls(away, name="far"), segmentation, ids)
