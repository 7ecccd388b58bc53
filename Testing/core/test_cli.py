from __future__ import annotations

import errno
import subprocess
import sys
from types import SimpleNamespace

import pytest

from gsema_core import cli
from gsema_core.errors import Cancelled, UserError
from gsema_core.exit_codes import EXIT_BROKEN_PIPE, EXIT_UNEXPECTED


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (UserError("The teacher is blue."), 2, "error: The teacher is blue.\n"),
        (Cancelled(), 75, "cancelled: no file is left half-written.\n"),
        (KeyboardInterrupt(), 75, "cancelled: no file is left half-written.\n"),
        (
            OSError(errno.ENAMETOOLONG, "File name too long", "aaa"),
            2,
            "error: aaa could not be used (File name too long): check that it is there, that you "
            "may use it and that the disk has space.\n",
        ),
    ],
)
def test_errors_are_one_sentence_and_an_exit_code(raised, code, said, monkeypatch, capsys):
    def run(arguments: object) -> int:
        raise raised

    parser = SimpleNamespace(parse_args=lambda argv: SimpleNamespace(run=run))
    monkeypatch.setattr(cli, "build_parser", lambda: parser)
    assert cli.main([]) == code
    assert capsys.readouterr().err == said


def test_mistakes_of_the_program_are_not_hidden(monkeypatch, capsys):
    def run(arguments: object) -> int:
        raise KeyError("a mistake")

    parser = SimpleNamespace(parse_args=lambda argv: SimpleNamespace(run=run))
    monkeypatch.setattr(cli, "build_parser", lambda: parser)
    assert cli.main([]) == EXIT_UNEXPECTED
    *traceback, last = capsys.readouterr().err.splitlines()
    assert traceback[0].startswith("Traceback") and traceback[-1] == "KeyError: 'a mistake'"
    assert last.startswith("error: An unexpected KeyError occurred: please report it")


def test_a_reader_that_leaves_early_gets_no_traceback():
    # Printed before the pipe closes: nothing; after: a flood that no pipe's buffer holds.
    code = (
        "import sys\n"
        "from types import SimpleNamespace\n"
        "from gsema_core import cli\n"
        "flood = lambda arguments: [print('x' * 1000) for _ in range(1000)]\n"
        "arguments = SimpleNamespace(run=flood)\n"
        "cli.build_parser = lambda: SimpleNamespace(parse_args=lambda argv: arguments)\n"
        "sys.exit(cli.main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == EXIT_BROKEN_PIPE
