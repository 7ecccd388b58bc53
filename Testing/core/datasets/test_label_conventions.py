"""Labels as labs and challenges have them: each is read right, or refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gsema_core.datasets import examine_all, find_cases, read_case
from gsema_core.datasets.case_summary import summary, summary_lines
from gsema_core.errors import UserError
from gsema_core.files import read_labels, write_volume
from gsema_core.files.label_rules import LabelRules
from gsema_core.grids import Volume
from gsema_core.labels import IGNORE

Convert = Callable[[np.ndarray], np.ndarray]


@pytest.fixture
def lab(put, tmp_path: Path) -> Callable[..., Path]:
    """A folder with one case: ``lab(lambda truth: ...)`` makes its label map of ours."""

    def make(convert: Convert, label: str = "scan_label.nii.gz", kind: type = np.float32) -> Path:
        put("scan.nrrd", "truth-label.nrrd")
        truth = read_labels(tmp_path / "truth-label.nrrd")
        (tmp_path / "truth-label.nrrd").unlink()
        write_volume(Volume(convert(truth.array).astype(kind), truth.geometry), tmp_path / label)
        return tmp_path

    return make


@pytest.fixture
def truth(one_case: Path) -> np.ndarray:
    return read_labels(one_case / "scan-label.nrrd").array


def told(folder: Path, *options: str) -> list[str]:
    cases = find_cases(folder, labels=LabelRules.from_options(options))
    return summary_lines(summary(list(examine_all(cases))))


def labels_of(folder: Path, *options: str) -> np.ndarray:
    (case,) = find_cases(folder, labels=LabelRules.from_options(options))
    return read_case(case)[1].array


def described(folder: Path, labels: dict[str, object]) -> Path:
    """An nnU-Net raw folder of the one case."""
    for old, new in (("scan.nrrd", "imagesTr/one_0000.nrrd"), ("label.nrrd", "labelsTr/one.nrrd")):
        (folder / new).parent.mkdir()
        (folder / old).rename(folder / new)
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}), encoding="utf-8")
    return folder


def test_masks_of_255(lab, truth):
    folder = lab(lambda ours: np.where(ours == 1, 255, np.where(ours == 2, 128, 0)), kind=np.uint8)
    with pytest.raises(UserError, match=r"has the value (255|128), where .*--label vessel="):
        labels_of(folder)
    assert np.array_equal(labels_of(folder, "vessel=255", "aneurysm=128"), truth)


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.float32, np.float64])
def test_values_beyond_a_byte_and_of_any_type(lab, truth, kind):
    folder = lab(lambda ours: ours * 1000.0, kind=kind)
    with pytest.raises(UserError, match=r"has the value [12]000, where only 0, 1, 2"):
        labels_of(folder)
    assert np.array_equal(labels_of(folder, "vessel=1000", "aneurysm=2000"), truth)


def test_values_that_are_no_whole_numbers(lab, truth):
    folder = lab(lambda ours: ours * 0.5)
    assert np.array_equal(labels_of(folder, "vessel=0.5", "aneurysm=1"), truth)


def test_maps_of_probabilities_are_refused(lab):
    folder = lab(lambda ours: np.where(ours, 0.97, np.linspace(0.01, 0.2, 32)))
    with pytest.raises(UserError, match="looks like a map of probabilities; make it labels first"):
        labels_of(folder)


def with_second(ours: np.ndarray) -> np.ndarray:
    """The aneurysm as 1, and a piece of another one elsewhere as 2."""
    second = np.zeros_like(ours)
    second[2:5, 14:17, 11:14] = 2
    return np.where(ours == 2, 1, second)


def test_adam_has_treated_aneurysms_and_no_vessels(lab, truth):
    """1 is an untreated aneurysm, 2 a treated one, which counts in no score there."""
    folder = lab(with_second, kind=np.uint8)
    assert any("no aneurysm touches a vessel" in line for line in told(folder))
    labels = labels_of(folder, "aneurysm=1", "ignore=2")
    assert np.array_equal(labels == 2, truth == 2) and (labels == IGNORE).sum() == 27
    lines = told(folder, "aneurysm=1", "ignore=2")
    assert "With voxels that are ignored: 1 case." in lines
    assert any("None of 1 case has a voxel of vessel" in line for line in lines)


def test_adam_described_for_nnunet_asks_what_treated_is(lab):
    folder = lab(lambda ours: ours, "label.nrrd")
    described(folder, {"background": 0, "untreated aneurysm": 1, "treated aneurysm": 2})
    with pytest.raises(UserError, match=r"'treated aneurysm' .* says neither .* or .*ignore"):
        find_cases(folder)
    (case,) = find_cases(folder, labels=LabelRules.from_options(["ignore=treated aneurysm"]))
    assert case.relabel == ((0, 0), (1, 2), (2, IGNORE))


def test_cada_numbers_its_aneurysms(lab):
    """1 is the first aneurysm, 2 the second one elsewhere: no vessel is near either."""
    folder = lab(with_second, "scan_labels.nii.gz", np.uint8)
    assert any("no aneurysm touches a vessel" in line for line in told(folder))
    lines = told(folder, "aneurysm=1-20")
    assert lines[0].endswith("1 center, 2 aneurysms.")
    assert any("None of 1 case has a voxel of vessel" in line for line in lines)


TOPCOW = {
    "background": 0, "BA": 1, "R-PCA": 2, "L-PCA": 3, "R-ICA": 4, "R-MCA": 5, "L-ICA": 6,
    "L-MCA": 7, "R-Pcom": 8, "L-Pcom": 9, "Acom": 10, "R-ACA": 11, "L-ACA": 12, "3rd-A2": 15,
}  # fmt: skip


def test_topcow_has_vessels_by_their_names(lab, truth):
    folder = lab(lambda ours: np.where(ours == 1, 15, ours), "label.nrrd", np.uint8)
    described(folder, TOPCOW)
    assert np.array_equal(labels_of(folder), (truth > 0).astype(np.uint8))


def test_topcow_without_names_is_told_by_values(lab, truth):
    folder = lab(lambda ours: np.where(ours == 1, 15, ours), kind=np.uint8)
    with pytest.raises(UserError, match="has the value 15"):
        labels_of(folder)
    assert np.array_equal(labels_of(folder, "vessel=1-15"), truth > 0)


def test_nnunets_label_to_ignore(lab, truth):
    folder = lab(lambda ours: np.where(np.indices(ours.shape)[2] > 25, 3, ours), "label.nrrd")
    described(folder, {"background": 0, "vessel": 1, "aneurysm": 2, "ignore": 3})
    labels = labels_of(folder)
    assert (labels[:, :, 26:] == IGNORE).all()
    assert np.array_equal(labels[:, :, :26], truth[:, :, :26])
    assert "With voxels that are ignored: 1 case." in told(folder)


def test_a_value_to_ignore_is_all_that_needs_telling(lab, truth):
    folder = lab(lambda ours: np.where(np.indices(ours.shape)[2] > 25, 4, ours))
    labels = labels_of(folder, "ignore=4")
    assert (labels[:, :, 26:] == IGNORE).all()
    assert np.array_equal(labels[:, :, :26], truth[:, :, :26])


def test_extra_labels_are_dropped_by_name(lab, truth):
    folder = lab(lambda ours: np.where(np.indices(ours.shape)[2] > 25, 3, ours), "label.nrrd")
    described(folder, {"background": 0, "vessel": 1, "aneurysm": 2, "Schädel": 3})
    assert np.array_equal(labels_of(folder)[:, :, :26], truth[:, :, :26])
    assert not labels_of(folder)[:, :, 26:].any()
    line = "Taken as background: 'Schädel', neither vessel nor aneurysm (1 case)."
    assert line in told(folder)


def test_a_mask_that_is_one_class_everywhere_is_refused(lab):
    folder = lab(np.ones_like, kind=np.uint8)
    with pytest.raises(UserError, match=r"Every voxel of the label map .* is vessel"):
        labels_of(folder)
    with pytest.raises(UserError, match=r"Every voxel of the label map .* is ignored"):
        labels_of(folder, "ignore=1")


def test_labels_of_another_scan_are_suspected(lab):
    folder = lab(lambda ours: np.roll(ours, 12, axis=2))
    assert any("not brighter than what is around" in line for line in told(folder))


def test_two_masks_of_a_case_are_asked_to_be_one(put, tmp_path):
    """As VMTK's users have them."""
    put("p1.nrrd", "p1_vessel_mask.nii.gz")
    put("", "p1_aneurysm_mask.nii.gz")
    with pytest.raises(UserError, match=r"must be one label map: 1 vessel, 2 aneurysm"):
        find_cases(tmp_path)


def test_folders_of_adams_patients(put, tmp_path, truth):
    """Both scans of a patient have the mask's grid; the challenge is about the one in pre."""
    home = tmp_path / "10001"
    put("10001/pre/TOF.nii.gz", "10001/aneurysms.nii.gz")
    for name in ("orig/TOF.nii.gz", "orig/struct.nii.gz", "pre/struct_aligned.nii.gz"):
        put(f"10001/{name}", "")
    notes: list[str] = []
    (case,) = find_cases(tmp_path, tell=notes.append)
    assert (case.patient, case.image) == ("10001", home / "pre/TOF.nii.gz")
    assert case.label == home / "aneurysms.nii.gz" and "orig and structural" in notes[0]
    assert np.array_equal(read_case(case)[1].array, truth)
    assert find_cases(home)[0].patient == "10001"
    put("10001/vessels.nii.gz", "")  # nothing else in the folder is passed over
    with pytest.raises(UserError, match=r"vessels\.nii\.gz has no label map"):
        find_cases(tmp_path)


def test_names_of_cada(put, tmp_path):
    put("A001_orig.nii.gz", "A001_labeledMasks.nii.gz")
    (case,) = find_cases(tmp_path)
    assert (case.patient, case.label.name) == ("A001", "A001_labeledMasks.nii.gz")
    put("", "A001_masks.nii.gz")
    with pytest.raises(UserError, match=r"Both .*A001_labeledMasks.* and .*A001_masks.* keep one"):
        find_cases(tmp_path)


def test_a_list_without_any_aneurysm_says_what_may_be_wrong(lab):
    folder = lab(lambda ours: ours == 2, kind=np.uint8)
    assert any(
        "No case has an aneurysm, so nothing can be trained" in line for line in told(folder)
    )
    assert not any("No case has an aneurysm" in line for line in told(folder, "aneurysm=1"))


def test_a_scan_instead_of_a_label_map_is_called_one(lab):
    noise = np.random.default_rng(0).normal(1000, 300, (32, 32, 32))
    folder = lab(lambda ours: noise.astype(np.int16), kind=np.int16)
    with pytest.raises(UserError, match=r"has more than 200 values, .* looks like a scan"):
        labels_of(folder)


def test_a_damaged_label_map_is_called_one(put, tmp_path):
    put("p1.nrrd", "p1_label.nrrd")
    (tmp_path / "p1_label.nrrd").write_bytes(b"NRRD0004")
    (examined,) = examine_all(find_cases(tmp_path))
    assert examined.reason.startswith(f"The label map {tmp_path / 'p1_label.nrrd'} could not be")


def test_a_mask_that_is_called_aneurysm_is_no_vessel(lab, truth, tmp_path):
    folder = lab(lambda ours: ours == 2, "scan_aneurysm_mask.nii.gz", np.uint8)
    with pytest.raises(UserError, match=r"is called one of aneurysms and has only 1.*--label aneu"):
        labels_of(folder)
    assert np.array_equal(labels_of(folder, "aneurysm=1") == 2, truth == 2)
    # Called so by what the scan is called, it is a scan without an aneurysm.
    for old, new in (("scan.nrrd", "aneurysm7.nrrd"),
                     ("scan_aneurysm_mask.nii.gz", "aneurysm7_mask.nii.gz")):  # fmt: skip
        (tmp_path / old).rename(tmp_path / new)
    assert (labels_of(folder) == 1).sum() == (truth == 2).sum()
