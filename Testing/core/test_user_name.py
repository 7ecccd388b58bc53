from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gsema_core.user_name import name_the_user

NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")


@pytest.mark.skipif(os.name == "nt", reason="Windows' users have names")
def test_a_user_without_a_name_gets_one_before_the_libraries_ask() -> None:
    code = (
        "import getpass, pwd\n"
        "def unknown(uid): raise KeyError(f'getpwuid(): uid not found: {uid}')\n"
        "pwd.getpwuid = unknown\n"
        "import gsema_core\n"
        "print(getpass.getuser())\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "user\n", done.stderr


def test_a_user_keeps_the_name_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody")
    name_the_user()
    assert os.environ["LOGNAME"] == "somebody"
