from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gsema_core.datasets import Case, examine_all, read_datalist
from gsema_core.datasets.case_summary import summary, summary_lines
from gsema_core.datasets.examination import examine, examine_usable
from gsema_core.errors import UserError
from gsema_core.files import read_labels, write_labels
from gsema_core.grids import Geometry, Volume

GRID = Geometry((32, 32, 32), (0.5, 0.5, 0.5))


@pytest.fixture
def cases(datalist):
    return read_datalist(datalist)


def label(case: Case, *values_and_places) -> None:
    """Replace a case's label map by one of single slices."""
    array = np.zeros((32, 32, 32), np.uint8)
    for value, k in values_and_places:
        array[k] = value
    write_labels(Volume(array, GRID), case.label)


def test_facts(cases):
    truth = read_labels(cases[0].label).array
    facts = examine(cases[0])
    assert facts.geometry == GRID
    assert facts.geometry.spacing == (0.5, 0.5, 0.5) and facts.geometry.size == (32, 32, 32)
    assert facts.vessel_ml == pytest.approx((truth == 1).sum() * 0.125 / 1000)
    assert facts.aneurysm_ml == pytest.approx((truth == 2).sum() * 0.125 / 1000)
    assert facts.aneurysms == 1
    # Noise of deviation 20 around 100, and vessels at 1000.
    assert 0 < facts.low < 100 < 900 < facts.high < 1100


def test_aneurysms_are_counted(cases):
    label(cases[0], (2, 3), (2, 10), (2, 11), (1, 20))
    facts = examine(cases[0])
    assert facts.aneurysms == 2 and facts.aneurysm_ml == pytest.approx(3 * 32**2 * 0.125 / 1000)


def test_a_case_without_any_label_is_a_case(cases):
    label(cases[0])
    facts = examine(cases[0])
    assert (facts.vessel_ml, facts.aneurysm_ml, facts.aneurysms) == (0, 0, 0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_cannot_be_used_is_told_and_the_others_go_on(cases, jobs):
    cases[1].image.write_bytes(b"no image")
    cases[3].label.unlink()
    examined = list(examine_all(cases, jobs))
    assert [each.number for each in examined] == [1, 2, 3, 4, 5]
    assert [each.case for each in examined] == cases
    assert [each.facts is None for each in examined] == [False, True, False, True, False]
    assert "case1.nrrd" in examined[1].reason and "case3-label.nrrd" in examined[3].reason
    assert examined[0].facts == examine(cases[0]) and examined[0].reason is None


def test_all_that_cannot_be_used_is_named_at_once(cases):
    cases[1].image.write_bytes(b"no image")
    label(cases[3], (1, 4), (7, 5))
    seen = []
    with pytest.raises(UserError, match=r"case1\.nrrd .* 1 more cannot be used.") as caught:
        examine_usable(cases, seen.append)
    assert len(seen) == 5
    (other,) = caught.value.table
    assert "case3-label.nrrd has the value 7" in other
    places = {case: number for number, case in enumerate(cases, start=1)}
    examined = examine_usable([cases[4], cases[2]], seen.append, places)
    assert [each.number for each in examined] == [5, 3]


def test_a_memory_that_does_not_suffice_is_told(cases, monkeypatch):
    def read(path):
        raise MemoryError

    monkeypatch.setattr("gsema_core.datasets.examination.read_case_image", read)
    (examined,) = examine_all(cases[:1])
    assert "memory did not suffice for the image" in examined.reason


def test_summary(cases):
    label(cases[1], (1, 4))
    label(cases[4], (2, 4), (2, 8))
    cases[2].image.write_bytes(b"no image")
    cases[3] = dataclasses.replace(cases[3], use="test")
    values = summary(list(examine_all(cases)))
    expected = {"cases": 5, "usable": 4, "unusable": 1, "patients": 4, "aneurysms": 4}
    assert {name: values[name] for name in expected} == expected
    assert (values["without_aneurysm"], values["without_vessel"]) == (1, 1)
    assert values["uses"] == {"": 3, "test": 1}
    center = values["centers"]["A"]
    assert (center["cases"], center["patients"], center["aneurysms"]) == (2, 2, 1)
    assert center["size"] == [[32, 32, 32], [32, 32, 32]]
    assert center["vessel_ml"][1] == pytest.approx(32**2 * 0.125 / 1000, abs=1e-3)
    assert center["aneurysm_ml"][0] == center["aneurysm_ml"][1] > 0  # of the one that has any
    text = "\n".join(summary_lines(values))
    assert text.startswith("5 cases, 1 that cannot be used; 4 patients, 2 centers, 4 aneurysms.")
    assert "Without any voxel of aneurysm: 1 case." in text
    assert "Without any voxel of vessel: 1 case." in text
    assert "Use of the cases: 3 left to the run, 1 test." in text
    assert "0.5 x 0.5 x 0.5" in text


def told(cases):
    return "\n".join(summary_lines(summary(list(examine_all(cases)))))


def test_exchanged_labels_are_suspected(cases):
    label(cases[0], (1, 4), (2, 5), (2, 6))
    assert "More aneurysm than vessel: 1 case; are the labels exchanged?" in told(cases)
    label(cases[0], (1, 4), (1, 7), (2, 5), (2, 6))
    assert "exchanged" not in told(cases)


def test_summary_of_nothing_usable(cases):
    cases[0].image.write_bytes(b"no image")
    values = summary(list(examine_all(cases[:1])))
    assert values["centers"] == {} and values["usable"] == 0
    assert summary_lines(values) == ["None of the 1 cases can be used."]


def test_summary_of_usable_cases_alone(cases):
    assert told(cases).startswith("5 cases; 5 patients, 2 centers, 5 aneurysms.\ncenter ")
    label(cases[0], (1, 4))
    assert "Without any voxel of aneurysm: 1 case." in told(cases)
