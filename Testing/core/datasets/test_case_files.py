from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.datasets import read_datalist
from gsema_core.datasets.case_files import read_case
from gsema_core.errors import UserError
from gsema_core.files import read_labels, write_labels
from gsema_core.grids import Geometry, Volume

GRID = Geometry((32, 32, 32), (0.5, 0.5, 0.5))


@pytest.fixture
def case(datalist):
    return read_datalist(datalist)[0]


def segmentation(path, case, **segments):
    """What Slicer writes: the case's labels + 4, named as told."""
    image = (Volume(read_labels(case.label).array, GRID)).to_image()
    image = sitk.Cast(image, sitk.sitkUInt8)
    image = image + sitk.Cast(image > 0, sitk.sitkUInt8) * 4
    for number, (name, value) in enumerate(segments.items()):
        image.SetMetaData(f"Segment{number}_Name", name)
        image.SetMetaData(f"Segment{number}_LabelValue", str(value))
    sitk.WriteImage(image, str(path))
    return dataclasses.replace(case, label=path)


def test_values_are_taken_as_the_case_says(case):
    ours = read_case(case)[1].array
    swapped = dataclasses.replace(case, relabel=((0, 0), (1, 2), (2, 1)))
    assert np.array_equal(read_case(swapped)[1].array, np.array([0, 2, 1])[ours])


def test_segments_of_slicer_are_taken_by_name(case, tmp_path):
    ours = read_case(case)[1].array
    named = segmentation(tmp_path / "s.seg.nrrd", case, Vessels=5, Aneurysm=6)
    assert np.array_equal(read_case(named)[1].array, ours)
    named = segmentation(tmp_path / "t.seg.nrrd", case, Aneurysm=5, Artery=6)
    assert np.array_equal(read_case(named)[1].array, np.array([0, 2, 1])[ours])


def test_what_this_project_writes_is_read_back(case, tmp_path):
    labels = read_case(case)[1]
    write_labels(labels, tmp_path / "own.seg.nrrd")
    own = dataclasses.replace(case, label=tmp_path / "own.seg.nrrd")
    assert np.array_equal(read_case(own)[1].array, labels.array)


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        ({"Segment_1": 5, "Aneurysm": 6}, r"'Segment_1' in .*s\.seg\.nrrd says neither"),
        ({"Vessel": 5}, r"s\.seg\.nrrd has the value 6, where only 0, 5 may occur"),
        ({"Vessel": "red"}, r"'Vessel' in .*s\.seg\.nrrd has no label value"),
    ],
)
def test_segments_that_cannot_be_told_are_refused(case, tmp_path, segments, reason):
    named = segmentation(tmp_path / "s.seg.nrrd", case, **segments)
    with pytest.raises(UserError, match=reason):
        read_case(named)


def test_labels_outside_the_list_are_refused(case):
    array = np.zeros((32, 32, 32), np.uint8)
    array[5] = 7
    sitk.WriteImage(Volume(array, GRID).to_image(), str(case.label))
    with pytest.raises(UserError, match=r"case0-label\.nrrd has the value 7"):
        read_case(case)


@pytest.mark.parametrize(
    ("grid", "difference"),
    [
        (Geometry((32, 32, 30), (0.5, 0.5, 0.5)), "32 x 32 x 30 instead of 32 x 32 x 32 voxels"),
        (Geometry((32, 32, 32), (0.5, 0.5, 0.6)), "spacing 0.5 x 0.5 x 0.6 instead of"),
        (Geometry((32, 32, 32), (0.5, 0.5, 0.5), (3, 0, 0)), "centers 3.00 mm apart"),
    ],
)
def test_another_grid_is_refused(case, grid, difference):
    write_labels(Volume(np.ones(grid.shape, np.uint8), grid), case.label)
    with pytest.raises(UserError, match=f"not on the grid of its image .*case0.*{difference}"):
        read_case(case)


def test_what_rounding_moves_is_one_grid(case):
    """And both come out on the same one, so that no voxel is ever lost."""
    labels = read_labels(case.label)
    moved = dataclasses.replace(labels.geometry, spacing=(0.5000001, 0.5, 0.5))
    write_labels(Volume(labels.array, moved), case.label)
    image, labels = read_case(case)
    assert labels.geometry == image.geometry


def test_a_label_map_that_is_gone_is_named(case, datalist):
    document = json.loads(datalist.read_text())
    assert document["cases"][0]["label"] == case.label.name
    case.label.unlink()
    with pytest.raises(UserError, match=r"case0-label\.nrrd does not exist"):
        read_case(case)
