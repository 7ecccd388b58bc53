"""The panel's dialogs for files: a path, or a cancelled dialog."""

from __future__ import annotations

import json

import pytest
import slicer.util


@pytest.fixture
def chosen(panel, monkeypatch):
    """Let the next dialog for files give this path."""
    import qt

    def choose(path):
        for name in ("getSaveFileName", "getOpenFileName", "getExistingDirectory"):
            monkeypatch.setattr(qt.QFileDialog, name, lambda *arguments: str(path))

    return choose


def test_a_list_is_saved_and_opened_again(panel, add_cases, chosen, spin, tmp_path, datalist):
    add_cases()
    chosen("")
    for button in ("saveListButton", "addListButton", "addFolderButton"):
        getattr(panel.ui, button).click()
    assert len(panel.cases.cases) == 4 and panel.shown == []
    chosen(tmp_path / "mine")
    panel.ui.saveListButton.click()
    assert len(json.loads((tmp_path / "mine.json").read_text())["cases"]) == 4
    panel.ui.caseTable.selectAll()
    panel.ui.removeCaseButton.click()
    assert panel.cases.cases == []
    for path, button in ((tmp_path / "mine.json", "addListButton"), (datalist, "addFolderButton")):
        chosen(path)
        getattr(panel.ui, button).click()
        spin(lambda: not panel.cases.reader.isRunning)
        assert len(panel.cases.cases) == 4


def test_a_file_that_the_dialog_did_not_ask_about_is_kept(
    panel, add_cases, chosen, tmp_path, monkeypatch
):
    add_cases()
    (tmp_path / "mine.json").write_text("precious")
    chosen(tmp_path / "mine")
    asked, answers = [], [False, True]

    def answer(text):
        asked.append(text)
        return answers.pop(0)

    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", answer)
    panel.ui.saveListButton.click()
    assert (tmp_path / "mine.json").read_text() == "precious" and "mine.json" in asked[0]
    panel.ui.saveListButton.click()
    assert "cases" in (tmp_path / "mine.json").read_text()
    chosen(tmp_path / "mine.json")  # here the dialog has asked
    panel.ui.saveListButton.click()
    assert len(asked) == 2
