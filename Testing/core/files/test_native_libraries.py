from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.files import read_volume, write_volume, writing
from gsema_core.files.native_libraries import native_libraries
from gsema_core.grids import Geometry, Volume

GRID = Geometry((6, 5, 4), (0.25, 1.25, 0.5), (1.5, -2.25, 3.125))

PROGRAM = """
import locale, sys
from gsema_core import read_labels, read_volume, write_labels, write_volume
locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
assert locale.localeconv()["decimal_point"] == ","
folder, suffix = sys.argv[1:]
scan = read_volume(f"{folder}/scan{suffix}")
print(*scan.geometry.spacing, *scan.geometry.origin)
write_volume(scan, f"{folder}/copy{suffix}")
labels = read_labels(f"{folder}/labels.seg.nrrd")
write_labels(labels, f"{folder}/labels-copy.seg.nrrd")
print(locale.localeconv()["decimal_point"])
"""


@pytest.fixture(scope="module")
def decimal_commas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a program whose numbers have commas."""
    folder = tmp_path_factory.mktemp("locales")
    if shutil.which("localedef") is None:
        pytest.skip("no localedef here to make a German locale with")
    command = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8")]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("the sources of the German locale are not installed here")
    return {**os.environ, "LOCPATH": str(folder)}


@pytest.fixture
def image() -> Volume:
    return Volume(np.random.default_rng(0).normal(50, 9, (4, 5, 6)).astype(np.float32), GRID)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii.gz"])
def test_a_host_with_decimal_commas_changes_nothing(
    decimal_commas: dict[str, str], image: Volume, tmp_path: Path, suffix: str
) -> None:
    write_volume(image, tmp_path / f"scan{suffix}")
    labels = (image.array > 50).astype(np.uint8)
    writing.write_labels(Volume(labels, GRID), tmp_path / "labels.seg.nrrd")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), suffix],
        env=decimal_commas, capture_output=True, text=True, check=True,
    )  # fmt: skip
    numbers, comma = done.stdout.splitlines()
    assert [float(number) for number in numbers.split()] == [*GRID.spacing, *GRID.origin]
    assert comma == ","  # the host's own again
    copy = read_volume(tmp_path / f"copy{suffix}")
    assert copy.geometry.is_close(GRID, 1e-6)
    assert np.array_equal(copy.array, image.array)
    assert b"(0.25,0,0)" in (tmp_path / "labels-copy.seg.nrrd").read_bytes()[:3000]


def test_a_header_that_came_out_wrong_leaves_no_file(
    image: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = writing.sitk.WriteImage

    def shifted(picture, path, compress):
        picture.SetOrigin((1.0, -2.25, 3.125))
        write(picture, path, compress)
        picture.SetOrigin((1.5, -2.25, 3.125))

    monkeypatch.setattr(writing.sitk, "WriteImage", shifted)
    with pytest.raises(UserError, match="would place the voxels elsewhere"):
        write_volume(image, tmp_path / "scan.nrrd")
    assert list(tmp_path.iterdir()) == []


def test_what_libraries_print_is_not_seen(capfd: pytest.CaptureFixture[str]) -> None:
    with native_libraries():
        os.write(2, b"from a library\n")
    os.write(2, b"after it\n")
    assert capfd.readouterr().err == "after it\n"
