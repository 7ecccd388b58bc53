from __future__ import annotations

import json
from pathlib import Path

import pytest

from gsema_core.datasets import find_cases, read_datalist
from gsema_core.datasets.center_rules import center_rule
from gsema_core.errors import UserError
from gsema_core.files.dicom.neutral import neutral_name


def listed(folder: Path, rule: str = "") -> list[tuple[str, str]]:
    """Patients and centers; the folder's own name is ROOT."""
    chosen = center_rule(rule) if rule else None
    return [
        (case.patient.replace(folder.name, "ROOT"), case.center.replace(folder.name, "ROOT"))
        for case in find_cases(folder, rule=chosen, confirmed=True)
    ]


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("p1.nrrd", "p1_label.nrrd"),
        ("p1.nrrd", "p1-label.nrrd"),
        ("p1.nii.gz", "p1_seg.nii.gz"),
        ("p1.nii.gz", "p1.seg.nrrd"),
        ("p1_image.mha", "p1 Mask.nrrd"),
        ("p1_0000.nrrd", "p1-segmentation.seg.nrrd"),
        ("images/p1.nrrd", "labels/p1.nrrd"),
        ("imagesTr/p1_0000.nrrd", "labelsTr/p1.nii.gz"),
        ("Scans/p1.nrrd", "Segmentations/p1_seg.nrrd"),
        ("p1/image.nrrd", "p1/label.nrrd"),
        ("p1/p1.nrrd", "p1/p1.seg.nrrd"),
        ("p1/4 3DRA head.nrrd", "p1/Segmentation.seg.nrrd"),
    ],
)
def test_names_that_are_understood(put, tmp_path, image, label):
    put(image, label)
    (case,) = find_cases(tmp_path)
    assert (case.patient, case.center) == ("p1", tmp_path.name)
    assert (case.image, case.label) == (tmp_path / image, tmp_path / label)


def test_subfolders_are_centers_where_somebody_says_so(put, tmp_path):
    for place in ("A/p1", "A/p2", "B/p1"):
        put(f"{place}.nrrd", f"{place}_label.nrrd")
    put("C/images/p1.nrrd", "C/labels/p1.nrrd")
    put("D/p1/image.nrrd", "D/p1/label.nrrd")
    assert listed(tmp_path, "folder") == [
        ("A/p1", "A"), ("A/p2", "A"), ("B/p1", "B"), ("C/p1", "C"), ("D/p1", "D"),
    ]  # fmt: skip


def test_a_folder_a_patient(put, tmp_path):
    put("p1/scan.nrrd", "p1/scan_label.nrrd")
    put("p2/scan.nrrd", "p2/scan_label.nrrd")
    assert listed(tmp_path) == [("p1", "ROOT"), ("p2", "ROOT")]


def test_centers_with_one_case_in_images_and_labels(put, tmp_path):
    put("A/images/p1.nrrd", "A/labels/p1.nrrd")
    put("B/images/p1.nrrd", "B/labels/p1.nrrd")
    assert listed(tmp_path, "folder") == [("A/p1", "A"), ("B/p1", "B")]
    assert listed(tmp_path) == [("A", "ROOT"), ("B", "ROOT")]


def test_the_folder_itself_may_be_the_patient(put, tmp_path):
    put("image.nrrd", "label.nrrd")
    assert listed(tmp_path) == [("ROOT", "ROOT")]


@pytest.mark.parametrize(
    ("series", "label", "expected"),
    [
        ("p1/IM1", "p1_label.nrrd", "p1"),
        ("images/p1/IM1", "labels/p1.nrrd", "images/p1"),
        ("p1/IM1", "p1/Segmentation.seg.nrrd", "p1"),
        ("p1/series/IM1", "p1/Segmentation.seg.nrrd", "p1"),
    ],
)
def test_the_image_may_be_a_folder_of_dicom_files(put, tmp_path, series, label, expected):
    put("", label)
    path = tmp_path / series
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0" * 128 + b"DICM")
    (case,) = find_cases(tmp_path)
    image = tmp_path / expected
    assert (case.patient, case.image) == (neutral_name(image), image)


def test_a_datalist_in_the_folder_decides(datalist):
    assert find_cases(datalist.parent) == find_cases(datalist) == read_datalist(datalist)


def test_without_its_datalist_the_folder_is_one_of_pairs(datalist):
    datalist.unlink()
    assert [case.patient for case in find_cases(datalist.parent)] == [f"case{n}" for n in range(5)]


def test_other_files_are_no_part_of_it(put, tmp_path):
    put("p1.nrrd", "p1_label.nrrd")
    put(".p2.nrrd", ".trash/p3_label.nrrd")
    (tmp_path / "notes.txt").write_text("p1 is fine")
    assert [patient for patient, _ in listed(tmp_path)] == ["p1"]


def test_links_to_folders_are_followed_but_not_for_ever(put, tmp_path):
    put("A/p1.nrrd", "A/p1_label.nrrd")
    put("A/p2.nrrd", "A/p2_label.nrrd")
    (tmp_path / "center").mkdir()
    (tmp_path / "center" / "B").symlink_to(tmp_path / "A")
    (tmp_path / "center" / "B2").symlink_to(tmp_path / "center")
    assert [patient for patient, _ in listed(tmp_path / "center", "folder")] == ["B/p1", "B/p2"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([("p1.nrrd", "")], r"The image .*p1\.nrrd has no label map"),
        ([("", "p1_label.nrrd")], r"The label map .*p1_label\.nrrd has no image"),
        ([("p1.nrrd", "p2_label.nrrd")], r"p2_label\.nrrd has no image"),
        ([("p1.nrrd", "p1_label.nrrd"), ("p2.nrrd", ""), ("p3.nrrd", "")],
         r"p2\.nrrd \(and 1 more\) has no label map"),
        ([("p1.nrrd", "p1_label.nrrd"), ("p1.mha", "")], r"Both .* are the image of one case"),
        ([("p1.nrrd", "p1_label.nrrd"), ("", "p1.seg.nrrd")], "are the label map of one case"),
    ],
)  # fmt: skip
def test_what_has_no_partner_is_named(put, tmp_path, files, reason):
    for image, label in files:
        put(image, label)
    with pytest.raises(UserError, match=reason):
        find_cases(tmp_path)


def test_folders_without_cases(tmp_path):
    with pytest.raises(UserError, match="has no images with label maps: expected NAME"):
        find_cases(tmp_path)
    with pytest.raises(UserError, match="gone does not exist"):
        find_cases(tmp_path / "gone")
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"vessel": 1}}))
    with pytest.raises(UserError, match=r"has nnU-Net's dataset\.json, but no imagesTr"):
        find_cases(tmp_path / "dataset.json")
