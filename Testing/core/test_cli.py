from __future__ import annotations

import errno
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from gsema_core import cli
from gsema_core.errors import Cancelled, UserError
from gsema_core.exit_codes import EXIT_BROKEN_PIPE, EXIT_STOPPED, EXIT_UNEXPECTED


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


PROGRAM = (
    "import sys\n"
    "from gsema_core import cli\n"
    "cli.main = lambda: print(chr(0x03a9)) or open({path!r}, 'w').write('kept') and 0\n"
    "sys.exit(cli.program())\n"
)


@pytest.mark.parametrize(("encoding", "printed"), [("ascii", b"\\u03a9"), ("utf-8", b"\xce\xa9")])
def test_letters_that_an_output_lacks_are_spelled_out(encoding, printed, tmp_path):
    code = PROGRAM.format(path=str(tmp_path / "file"))
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, check=True
    )
    assert done.stdout.split() == [printed]


@pytest.mark.skipif(os.name == "nt", reason="needs a shell that closes streams")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_file_never_takes_the_place_of_a_stream(closed, tmp_path):
    """What a library prints would be written into it."""
    path = tmp_path / "file"
    code = PROGRAM.format(path=str(path)).replace("'kept'", "str(file.fileno())")
    code = code.replace(f"open({str(path)!r}, 'w')", f"(file := open({str(path)!r}, 'w'))")
    done = subprocess.run(["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, code], check=False)
    assert done.returncode == 0
    assert int(path.read_text()) > 2


def test_a_request_to_stop_before_a_command_begins_ends_it_in_order():
    code = (
        "import os, signal, sys\n"
        "from gsema_core import cli\n"
        "cli.build_parser = lambda: os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.exit(cli.program())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == EXIT_STOPPED
    assert done.stderr == b"cancelled: no file is left half-written.\n"
