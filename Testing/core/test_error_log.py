from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gsema_core.error_log import EXPECTED, log_unexpected


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def test_a_traceback_is_appended_with_what_failed(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("of an earlier run\n")
    log_unexpected(raised(KeyError("x")), log, "The scan a.nrrd failed.")
    first, second, *trace = log.read_text().splitlines()
    assert first == "of an earlier run"
    assert second.endswith("The scan a.nrrd failed.")
    assert trace[0].startswith("Traceback") and "in raised" in "".join(trace)
    assert "KeyError: 'x'" in trace


@pytest.mark.parametrize("kind", EXPECTED)
def test_what_a_sentence_explains_leaves_no_log(tmp_path: Path, kind: type) -> None:
    log_unexpected(raised(kind("The scan is blue.")), tmp_path / "a.log", "It failed.")
    assert list(tmp_path.iterdir()) == []


def test_names_of_patients_are_left_out(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    error = raised(KeyError("of doe and doe^j, not of doens"))
    log_unexpected(error, log, "It failed.", ["doe^j", "doe", ""])
    assert "of (name) and (name), not of doens" in log.read_text()


def test_without_a_place_for_the_log_the_traceback_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_unexpected(raised(KeyError("x")), tmp_path / "missing" / "a.log", "It failed.")
    assert "KeyError: 'x'" in capsys.readouterr().err


def test_whoever_embeds_the_program_gets_it_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log_unexpected(raised(KeyError("x")), tmp_path / "a.log", "It failed.")
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("gsema_core", logging.ERROR)
    assert logging.getLogger("gsema_core").handlers == []


def test_a_name_that_is_no_text_is_spelled_out(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log_unexpected(raised(KeyError("x")), log, "The scan b\udcff.nrrd failed.")
    assert "b\\udcff.nrrd" in log.read_text()
