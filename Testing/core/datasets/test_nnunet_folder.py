from __future__ import annotations

import json

import numpy as np
import pytest

from gsema_core.datasets import find_cases, read_case
from gsema_core.errors import UserError

OURS = {"background": 0, "vessel": 1, "aneurysm": 2}


@pytest.fixture
def describe(tmp_path):
    """Write ``dataset.json``."""

    def write(labels=OURS, **others):
        content = {"labels": labels, "file_ending": ".nrrd", **others}
        (tmp_path / "dataset.json").write_text(json.dumps(content))

    write()
    return write


@pytest.fixture
def folder(tmp_path, put, describe):
    put("imagesTr/one_0000.nrrd", "labelsTr/one.nrrd")
    put("imagesTr/two_0000.nrrd", "labelsTr/two.nrrd")
    return tmp_path


def test_cases_are_patients_and_the_folder_is_the_center(folder):
    cases = find_cases(folder)
    assert [(case.patient, case.center, case.use) for case in cases] == [
        ("one", folder.name, ""),
        ("two", folder.name, ""),
    ]
    assert cases[0].image == folder / "imagesTr/one_0000.nrrd"
    assert cases[0].label == folder / "labelsTr/one.nrrd"
    assert find_cases(folder / "dataset.json") == cases


def test_labels_are_taken_by_name(folder, describe):
    ours = read_case(find_cases(folder)[0])[1].array
    describe({"background": 0, "aneurysm": 1, "artery": 2})
    assert np.array_equal(read_case(find_cases(folder)[0])[1].array, np.array([0, 2, 1])[ours])


def test_older_descriptions_and_regions(folder, describe):
    describe({"0": "background", "1": "aneurysm", "2": "vessel"})
    assert find_cases(folder)[0].relabel == ((0, 0), (1, 2), (2, 1))
    describe({"background": 0, "vessels": [1, 2], "aneurysm": 2})
    assert find_cases(folder)[0].relabel == ()


def test_cases_for_testing_are_those_with_labels(folder, put):
    put("imagesTs/three_0000.nrrd", "labelsTs/three.nrrd")
    put("imagesTs/four_0000.nrrd", "")
    assert [(case.patient, case.use) for case in find_cases(folder)][2:] == [("three", "test")]


def test_names_without_a_channel_and_other_endings(tmp_path, put, describe):
    describe(file_ending=".nii.gz")
    put("imagesTr/one.nii.gz", "labelsTr/one.nii.gz")
    put("imagesTr/notes.nrrd", "")
    (case,) = find_cases(tmp_path)
    assert case.patient == "one" and case.image.name == "one.nii.gz"
    image, labels = read_case(case)
    assert set(np.unique(labels.array)) == {0, 1, 2} and labels.geometry == image.geometry


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (None, "does not say what the labels mean"),
        ({"background": 0, "vessel": "1"}, "does not say what the labels mean"),
        ({"background": 0, "vessel": True}, "does not say what the labels mean"),
        ({"background": 0, "vessel": []}, "does not say what the labels mean"),
        ({"background": 0, "tumor": 1}, "'tumor' in .*dataset.json says neither"),
    ],
)
def test_labels_that_cannot_be_told_are_refused(folder, describe, labels, reason):
    describe(labels)
    with pytest.raises(UserError, match=reason):
        find_cases(folder)


def test_a_byte_order_mark_does_not_matter(folder):
    description = folder / "dataset.json"
    description.write_text(description.read_text(), encoding="utf-8-sig")
    assert len(find_cases(folder)) == 2


def test_damaged_descriptions_are_refused(folder):
    for text, reason in (
        ("{", "not readable JSON"), ("[]", "no description of a dataset"),
        ('{"labels": {}}', "does not say what the labels mean"),
    ):  # fmt: skip
        (folder / "dataset.json").write_text(text)
        with pytest.raises(UserError, match=reason):
            find_cases(folder)


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        ("imagesTr/one_0000.nrrd", r"label map .*one\.nrrd has no image one_0000 in .*imagesTr"),
        ("labelsTr/one.nrrd", r"image .*one_0000\.nrrd has no label map"),
    ],
)
def test_half_a_case_is_named(folder, gone, reason):
    (folder / gone).unlink()
    with pytest.raises(UserError, match=reason):
        find_cases(folder)


def test_several_channels_are_refused(folder, put):
    put("imagesTr/one_0001.nrrd", "")
    with pytest.raises(UserError, match=r"several channels a case \(one_0001\.nrrd\)"):
        find_cases(folder)


def test_no_case_at_all(tmp_path, describe):
    (tmp_path / "imagesTr").mkdir()
    with pytest.raises(UserError, match="has no labelled case"):
        find_cases(tmp_path)
