"""What is wrong with the labels of a list as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.datasets import read_case, read_datalist
from gsema_core.datasets.label_checks import LabelSigns, label_signs, suspicions
from gsema_core.labels import ANEURYSM, IGNORE, VESSEL

MM = (0.5, 0.5, 0.5)
GOOD = LabelSigns(vessel=900, aneurysm=100, touching=True, brightness=0.98)
LARGER = LabelSigns(100, 900, True, 0.98)


@pytest.fixture
def case(datalist):
    image, labels = read_case(read_datalist(datalist)[0])
    return image.array, labels.array


def test_signs_of_a_good_case(case):
    image, labels = case
    signs = label_signs(image, labels, MM)
    assert signs.vessel == (labels == VESSEL).sum() and signs.aneurysm == (labels == ANEURYSM).sum()
    assert signs.touching is True
    assert signs.brightness == 1.0  # 1000 against 100, with a deviation of 20
    assert label_signs(image, labels, MM) == signs
    assert suspicions([signs]) == []


def test_brightness_is_what_chance_makes_of_noise_and_less_where_vessels_are_dark(case):
    image, labels = case
    noise = np.random.default_rng(1).normal(size=image.shape)
    assert label_signs(noise, labels, MM).brightness == pytest.approx(0.5, abs=0.03)
    assert label_signs(-image, labels, MM).brightness == 0.0


def test_another_scans_label_map_and_too_little_to_compare(case):
    image, labels = case
    elsewhere = np.roll(labels, 12, axis=2)
    assert label_signs(image, elsewhere, MM).brightness < 0.6
    few = np.where(np.arange(labels.size).reshape(labels.shape) < 20, VESSEL, 0).astype(np.uint8)
    assert label_signs(image, few, MM) == LabelSigns(20, 0, None, None)


def test_ignored_voxels_are_no_surroundings(case):
    image, labels = case
    bright = np.where(labels == 0, 5000, image)
    ignored = np.where(labels == 0, IGNORE, labels).astype(np.uint8)
    assert label_signs(bright, ignored, MM).brightness is None


def test_an_aneurysm_apart_from_vessels(case):
    image, _ = case
    labels = np.zeros(image.shape, np.uint8)
    labels[4:8, 4:8, 4:8], labels[9:12, 4:8, 4:8] = ANEURYSM, VESSEL
    assert label_signs(image, labels, MM).touching is False
    labels[8, 8, 8] = VESSEL  # shares a corner
    assert label_signs(image, labels, MM).touching is True


@pytest.mark.parametrize(
    "signs", [GOOD, LabelSigns(3, 0, None, None), LabelSigns(1, 2, False, 0.5)]
)
def test_signs_as_numbers(signs):
    assert LabelSigns.of_values(signs.to_values()) == signs


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ([], []),
        ([GOOD, GOOD, LARGER], []),
        ([GOOD, LARGER, LARGER], ["2 of 3 cases with both labels have more aneurysm"]),
        # Half of them is not most of them.
        ([GOOD, LARGER], []),
        ([LabelSigns(0, 10, None, 0.9)] * 2, ["None of 2 cases has a voxel of vessel"]),
        ([LabelSigns(0, 10, None, 0.9), GOOD], []),
        ([LabelSigns(9, 5, False, 0.9)], ["In 1 of 1 case with both labels no aneurysm touches"]),
        ([LabelSigns(9, 0, None, 0.5)], ["labeled voxels are not brighter"]),
        ([LabelSigns(9, 0, None, 0.5), LabelSigns(9, 0, None, None), GOOD], []),
        ([LabelSigns(9, 0, None, None)], []),
        ([LabelSigns(5, 9, False, 0.1)], ["more aneurysm", "no aneurysm touches", "not brighter"]),
    ],
)
def test_most_cases_decide(signs, expected):
    found = suspicions(signs)
    assert len(found) == len(expected)
    assert all(part in sentence for part, sentence in zip(expected, found, strict=True))
