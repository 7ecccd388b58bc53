"""What every test shares."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

# Two cores serve tests, training and benchmarks alike: libraries must not start a thread a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")


@pytest.fixture(scope="session")
def decimal_commas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a German locale, for LOCPATH: numbers have commas in a program that has it."""
    folder = tmp_path_factory.mktemp("locales")
    if shutil.which("localedef") is None:
        pytest.skip("no localedef here to make a German locale with")
    command = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8")]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("the sources of the German locale are not installed here")
    return folder
