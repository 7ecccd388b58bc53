from __future__ import annotations

import errno

import pytest

from gsema_core.errors import Cancelled, UserError
from gsema_core.training.beside import Beside, reason


def test_a_failure_is_told_once_and_ends_nothing():
    said: list[str] = []
    beside = Beside("The pictures cannot be written", said.append)
    with beside():
        pass
    assert beside.works and not said
    for error in (OSError(errno.ENOSPC, "No space left on device"), ValueError("second")):
        with beside():
            raise error
    assert not beside.works
    assert said == [
        "The pictures cannot be written (No space left on device); the training goes on without."
    ]


def test_a_stop_is_no_failure():
    beside = Beside("The pictures cannot be written", pytest.fail)
    with pytest.raises(Cancelled), beside():
        raise Cancelled
    assert beside.works


def test_the_reason_names_no_file():
    try:
        try:
            raise PermissionError(errno.EACCES, "Permission denied", "/data/doe.png")
        except OSError as error:
            raise UserError("The file /data/doe.png cannot be written.") from error
    except UserError as error:
        assert reason(error) == "Permission denied"
    assert reason(ValueError("/data/doe.png")) == "ValueError"
