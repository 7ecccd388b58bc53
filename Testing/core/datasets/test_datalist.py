from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from gsema_core.datasets import Case, read_datalist, write_datalist
from gsema_core.errors import UserError
from gsema_core.files.label_rules import LabelRules
from gsema_core.labels import IGNORE


def test_reads_cases_with_files_beside_the_list(datalist):
    cases = read_datalist(datalist)
    assert [(case.patient, case.center) for case in cases] == [
        ("p0", "A"),
        ("p1", "A"),
        ("p2", "A"),
        ("p3", "B"),
        ("p4", "B"),
    ]
    assert cases[0].image == datalist.parent / "case0.nrrd"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "not readable JSON"),
        ("[" * 100_000, "not readable JSON"),
        ("[]", "has no cases"),
        ('{"cases": []}', "has no cases"),
        ('{"cases": ["a"]}', "Case 1"),
        ('{"cases": [{"patient": "1", "center": "A", "image": "case0.nrrd"}]}', "Case 1"),
        (
            '{"cases": [{"patient": "1", "center": "A", "image": "i", "label": "\\u0000"}]}',
            "Case 1",
        ),
        (
            '{"cases": [{"patient": "\\ud800", "center": "A", "image": "i", "label": "l"}]}',
            "Case 1",
        ),
    ],
)
def test_what_is_no_datalist_is_refused(datalist, text, named):
    datalist.write_text(text)
    with pytest.raises(UserError, match=named):
        read_datalist(datalist)


def test_missing_list_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nothing\.json does not exist"):
        read_datalist(tmp_path / "nothing.json")


def test_missing_image_is_named(datalist):
    document = json.loads(datalist.read_text())
    document["cases"][1]["image"] = "gone.nrrd"
    datalist.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"gone\.nrrd of case 2"):
        read_datalist(datalist)


def test_files_may_be_left_to_whoever_reads_them(datalist):
    (datalist.parent / "case1.nrrd").unlink()
    cases = read_datalist(datalist, check_files=False)
    assert cases[1].image == datalist.parent / "case1.nrrd" and len(cases) == 5


def test_links_that_lead_nowhere_are_left_as_well(datalist):
    image = datalist.parent / "case1.nrrd"
    image.unlink()
    image.symlink_to(image)
    assert len(read_datalist(datalist, check_files=False)) == 5
    with pytest.raises(UserError, match=r"case1\.nrrd of case 2 .* does not exist"):
        read_datalist(datalist)


@pytest.mark.parametrize("patient", ["p0", "another"])
def test_an_image_that_is_listed_twice_is_refused(datalist, patient):
    """Of another name it would be trained on and validated with."""
    document = json.loads(datalist.read_text())
    document["cases"][3] |= {"patient": patient, "image": "./case0.nrrd"}
    datalist.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"case0\.nrrd is that of case 1 and of case 4 in"):
        read_datalist(datalist)


def test_a_case_may_say_what_it_is_for(datalist):
    document = json.loads(datalist.read_text())
    document["cases"][1]["use"] = "test"
    datalist.write_text(json.dumps(document))
    assert [case.use for case in read_datalist(datalist)] == ["", "test", "", "", ""]


def test_an_unknown_use_is_named(datalist):
    document = json.loads(datalist.read_text())
    document["cases"][1]["use"] = "exam"
    datalist.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"Case 2.*'exam'"):
        read_datalist(datalist)


def test_a_patient_in_two_parts_is_refused(datalist):
    document = json.loads(datalist.read_text())
    document["cases"][0]["use"] = "training"
    document["cases"].append(document["cases"][0] | {"use": "test"})
    datalist.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"'p0'.*different use"):
        read_datalist(datalist)


def test_a_case_may_say_what_its_values_mean(datalist):
    document = json.loads(datalist.read_text())
    document["cases"][0]["relabel"] = [[1, 2], [2, 1]]
    document["cases"][1]["relabel"] = []
    datalist.write_text(json.dumps(document))
    assert [case.relabel for case in read_datalist(datalist)][:2] == [((0, 0), (1, 2), (2, 1)), ()]


@pytest.mark.parametrize(
    "relabel",
    [{"1": 2}, [1, 2], [[1]], [[1, 2, 3]], [[1, 3]], [[1, 1.0]], [[3e9, 1]], [[math.inf, 1]],
     [["1", 1]], [[True, 1]], [[0, 1]], [[0, 255]], [[1, 2], [1, 1]]],
)  # fmt: skip
def test_values_that_cannot_be_mapped_are_refused(datalist, relabel):
    document = json.loads(datalist.read_text())
    document["cases"][1]["relabel"] = relabel
    datalist.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"Case 2 .* has the relabel"):
        read_datalist(datalist)


def test_values_may_be_large_or_no_whole_numbers(datalist):
    document = json.loads(datalist.read_text())
    document["cases"][0]["relabel"] = [[1000, 2], [0.5, 1], [-1, 255]]
    datalist.write_text(json.dumps(document))
    expected = ((-1, IGNORE), (0, 0), (0.5, 1), (1000, 2))
    assert read_datalist(datalist)[0].relabel == expected


def test_a_list_says_once_what_its_labels_mean(datalist):
    document = json.loads(datalist.read_text())
    document["labels"] = {"aneurysm": ["IA dome", 3], "vessel": "1-2", "ignore": [255]}
    document["cases"][1]["labels"] = {"aneurysm": 1}
    datalist.write_text(json.dumps(document))
    cases = read_datalist(datalist)
    common = LabelRules((("IA dome", 2),), ((1, 1), (2, 1), (3, 2), (255, IGNORE)))
    assert [case.labels for case in cases[:3]] == [common, LabelRules((), ((1, 2),)), common]
    for listed in (cases, [cases[0], *cases[2:]]):  # each its own, and all the same
        write_datalist(listed, datalist)
        assert read_datalist(datalist) == listed
    assert json.loads(datalist.read_text())["labels"] == common.to_entry()


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([], "the labels are"), ({"tumor": ["x"]}, "the labels are"),
        ({"vessel": [True]}, "the labels are"), ({"vessel": [math.nan]}, "the labels are"),
        ({"vessel": ["9-1"]}, "the labels are"), ({"words": [["vessel"]]}, "the labels are"),
        ({"vessel": ["A"], "aneurysm": ["á"]}, "'A|'á' has two meanings"),
        ({"vessel": [3], "aneurysm": ["1-4"]}, "3 has two meanings"),
        ({"vessel": [0]}, "0, which is always background, has two meanings"),
    ],
)  # fmt: skip
def test_labels_that_say_nothing_are_refused(datalist, labels, reason):
    document = json.loads(datalist.read_text())
    document["labels"] = labels
    datalist.write_text(json.dumps(document))
    with pytest.raises(UserError, match=reason):
        read_datalist(datalist)


def test_a_written_list_reads_back_to_the_same_cases(datalist):
    cases = read_datalist(datalist)
    relabel = ((0, 0), (1, 2), (3, 1))
    cases[0] = replace(cases[0], patient="Müller \u2028", use="test", relabel=relabel)
    written = datalist.with_name("again.json")
    write_datalist(cases[::-1], written, "Made for a test.")
    assert read_datalist(written) == cases[::-1]
    document = json.loads(written.read_text(encoding="utf-8"))
    assert document["description"] == "Made for a test."
    assert document["cases"][0] == {
        "patient": "p4", "center": "B", "image": "case4.nrrd", "label": "case4-label.nrrd",
    }  # fmt: skip
    assert document["cases"][-1]["relabel"] == [[0, 0], [1, 2], [3, 1]]


def test_a_list_elsewhere_names_whole_paths(datalist, tmp_path, monkeypatch):
    (tmp_path / "lists").mkdir()
    monkeypatch.chdir(tmp_path)
    cases = read_datalist("datalist.json")
    write_datalist(cases, Path("lists", "a.json"))
    assert read_datalist("lists/a.json") == read_datalist(datalist)
    write_datalist(cases, "b.json")  # files and list named from the working folder
    assert '"case0.nrrd"' in Path("b.json").read_text()


def test_names_that_are_no_text_are_refused_before_the_list_is_written(datalist):
    before = datalist.read_text()
    case = Case("p", "A", datalist.parent / "M\udcfcller.nrrd", datalist.parent / "l.nrrd")
    with pytest.raises(UserError, match=r"'M\\udcfcller\.nrrd' cannot stand in a datalist"):
        write_datalist([case], datalist)
    assert datalist.read_text() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"case": []}, r"'case' \(known are cases, .*\): write 'cases' if that is meant"),
        ({"training": []}, r"'training' \(known are .*\): leave it out"),
    ],
)
def test_unknown_keys_are_refused_with_the_nearest_known(datalist, change, reason):
    document = json.loads(datalist.read_text())
    datalist.write_text(json.dumps(document | change))
    with pytest.raises(UserError, match=f"The datalist .* has the unknown key {reason}"):
        read_datalist(datalist)


@pytest.mark.parametrize(("key", "meant"), [("Use", "use"), ("relabels", "relabel"), ("x", "")])
def test_unknown_keys_of_a_case_are_refused(datalist, key, meant):
    document = json.loads(datalist.read_text())
    document["cases"][1][key] = "test"
    datalist.write_text(json.dumps(document))
    nearest = f"write '{meant}' if that is meant, or " if meant else ""
    end = rf"\): {nearest}leave it out\."
    with pytest.raises(UserError, match=f"Case 2 of .* has the unknown key '{key}' .*{end}"):
        read_datalist(datalist)


def test_a_label_map_of_two_patients_is_refused(datalist):
    document = json.loads(datalist.read_text())
    document["cases"][3]["label"] = "case0-label.nrrd"
    datalist.write_text(json.dumps(document))
    with pytest.raises(UserError, match="that of patient 'p0' and of patient 'p3'"):
        read_datalist(datalist)
    document["cases"][3]["patient"] = "p0"  # as two reconstructions of one scan have
    datalist.write_text(json.dumps(document))
    assert len(read_datalist(datalist)) == 5


def test_one_file_as_image_and_label_map_is_refused(datalist):
    document = json.loads(datalist.read_text())
    document["cases"][1]["label"] = "./case1.nrrd"
    datalist.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"Case 2 of .* has one file as image and as label map"):
        read_datalist(datalist)
