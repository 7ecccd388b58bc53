"""Cases from lists and folders, one by one."""

from __future__ import annotations

import json

import pytest
import slicer.util

PATIENT, USE, ANEURYSMS, VERDICT, CENTER, SPACING, VESSEL = range(7)


def cell(panel, row, column):
    return panel.ui.caseTable.item(row, column).text()


def test_a_list_is_read_row_by_row(panel, add_cases):
    add_cases()
    assert [case.patient for case in panel.cases.cases] == [f"Muster^Max{n}" for n in range(4)]
    assert sorted(case.use for case in panel.cases.cases) == [
        "test",
        "training",
        "training",
        "validation",
    ]
    assert cell(panel, 0, SPACING) == "0.4 × 0.4 × 0.6"


def test_a_case_that_cannot_be_used_says_why(panel, datalist, spin):
    entries = json.loads(datalist.read_text())["cases"]
    entries[1]["label"] = "bad.nrrd"
    datalist.write_text(json.dumps({"cases": entries}))
    panel.cases.addPath(str(datalist))
    spin(lambda: not panel.cases.reader.isRunning)
    assert cell(panel, 1, VERDICT) == "The label map has the value 7: use 0, 1 and 2."
    assert not panel.ui.caseTable.cellWidget(1, USE).enabled
    assert "3 of 4 cases" in panel.ui.casesInfoLabel.text


def test_a_path_that_is_not_there_is_explained(panel, tmp_path, spin):
    panel.cases.addPath(str(tmp_path / "none.json"))
    spin(lambda: not panel.cases.reader.isRunning)
    assert "does not exist" in panel.shown[0]


def test_reading_a_list_twice_does_not_double_it(panel, add_cases, datalist, spin):
    add_cases()
    panel.cases.addPath(str(datalist))
    spin(lambda: not panel.cases.reader.isRunning)
    assert len(panel.cases.cases) == 4


@pytest.mark.parametrize(("isCenter", "rule"), [(True, "folder"), (False, "none")])
def test_folders_that_may_be_centers_are_asked_about(
    panel, datalist, spin, monkeypatch, isCenter, rule
):
    asked = []
    answer = lambda text: asked.append(text) or isCenter  # noqa: E731
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", answer)
    panel.cases.addPath(str(datalist.parent))
    spin(lambda: not panel.cases.reader.isRunning)
    assert len(asked) == 1 and "A, B" in asked[0]
    assert len(panel.cases.cases) == 4 and panel.shown == [f"The rule was {rule}."]
