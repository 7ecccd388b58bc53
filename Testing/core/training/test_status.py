from __future__ import annotations

import dataclasses
import errno
import json
import os
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.training.status import FAILED, STATUS, Herald, Status, read_status


@pytest.fixture
def herald(tmp_path: Path) -> Herald:
    return Herald(tmp_path, lambda line: None)


def test_the_file_holds_every_field(herald, tmp_path):
    herald.show(state="training", step=3, steps=9, device="cpu", message="Going on.")
    status = json.loads((tmp_path / STATUS).read_text())
    assert set(status) == {field.name for field in dataclasses.fields(Status)}
    assert (status["state"], status["step"], status["pid"]) == ("training", 3, os.getpid())
    assert status["memory_mb"] is None or status["memory_mb"] > 10
    assert status["updated"].endswith("+00:00")


def test_what_is_not_changed_stays(herald, tmp_path):
    herald.show(step=3, message="One.")
    herald.show(state="paused")
    assert read_status(tmp_path)["step"] == 3
    assert read_status(tmp_path)["message"] == "One."


def test_an_unknown_state_is_a_mistake_of_ours(herald):
    with pytest.raises(ValueError, match="'asleep'"):
        herald.show(state="asleep")


def test_warnings_stay_with_later_messages(herald, tmp_path):
    herald.warn("Memory is short.")
    herald.show(message="Step 1.")
    herald.show(message="Step 2.")
    assert read_status(tmp_path)["message"] == "Step 2. Memory is short."


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UserError("There is too little memory: choose a smaller patch."), None),
        (UserError("The image /home/x/doe.nrrd cannot be read."), FAILED),
        (UserError(r"The image C:\doe.nrrd cannot be read."), FAILED),
        (UserError("Patient doe is in two splits."), FAILED),
        (RuntimeError("internal"), FAILED),
    ],
)
def test_a_failure_names_no_file_and_no_patient(herald, tmp_path, error, message):
    herald.keep_private(["doe"])
    herald.fail(error)
    status = read_status(tmp_path)
    assert status["state"] == "failed"
    assert status["message"] == (message or str(error))


def test_a_failure_on_a_full_disk_hides_nothing(herald, monkeypatch):
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    herald.fail(UserError("The first reason."))  # raises nothing of its own
    with pytest.raises(UserError, match=r"status\.json .No space left"):
        herald.show(step=1)


@pytest.mark.parametrize("content", [None, "", "[1]", '{"state"'])
def test_a_folder_without_a_status_says_nothing(tmp_path, content):
    if content is not None:
        (tmp_path / STATUS).write_text(content)
    assert read_status(tmp_path) is None
