from __future__ import annotations

import os
import re
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
import ctypes, locale, sys
from gsema_core import read_labels, read_volume, write_labels, write_volume
if sys.argv.pop() == "in C":  # as a host in C++ does, past Python
    ctypes.CDLL(None).setlocale(locale.LC_ALL, b"de_DE.UTF-8")
else:
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


@pytest.fixture
def image() -> Volume:
    return Volume(np.random.default_rng(0).normal(50, 9, (4, 5, 6)).astype(np.float32), GRID)


@pytest.mark.parametrize("where", ["in Python", "in C"])
@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii.gz"])
def test_a_host_with_decimal_commas_changes_nothing(
    decimal_commas: Path, image: Volume, tmp_path: Path, suffix: str, where: str
) -> None:
    write_volume(image, tmp_path / f"scan{suffix}")
    labels = (image.array > 50).astype(np.uint8)
    writing.write_labels(Volume(labels, GRID), tmp_path / "labels.seg.nrrd")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), suffix, where],
        env={**os.environ, "LOCPATH": str(decimal_commas)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    numbers, comma = done.stdout.splitlines()
    assert [float(number) for number in numbers.split()] == [*GRID.spacing, *GRID.origin]
    assert comma == ","  # the host's own again
    copy = read_volume(tmp_path / f"copy{suffix}")
    assert copy.geometry.is_close(GRID, 1e-6)
    assert np.array_equal(copy.array, image.array)
    assert b"(0.25,0,0)" in (tmp_path / "labels-copy.seg.nrrd").read_bytes()[:3000]


@pytest.mark.parametrize("coding", ["text", "raw"])
def test_headers_and_letters_are_read_alike_in_every_host(
    decimal_commas: Path, tmp_path: Path, coding: str
) -> None:
    """Also where no native code reads them: numbers in letters, and scales."""
    values = np.random.default_rng(0).normal(50, 9, (4, 5, 6)).astype("<f4")
    letters = " ".join(f"{value:.9g}" for value in values.reshape(-1)).encode()
    head = (
        "NRRD0004\ntype: float\ndimension: 3\nsizes: 6 5 4\nspacings: 0.25 1.25 0.5\n"
        f"endian: little\nencoding: {coding}\n\n"
    )
    path = tmp_path / "scan.nrrd"
    path.write_bytes(head.encode() + (letters if coding == "text" else values.tobytes()))
    program = (
        "import locale, sys\n"
        "from gsema_core import read_volume\n"
        "locale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')\n"
        "scan = read_volume(sys.argv[1])\n"
        "print(scan.geometry.spacing, repr(float(scan.array.sum(dtype='f8'))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={**os.environ, "LOCPATH": str(decimal_commas)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == f"(0.25, 1.25, 0.5) {float(values.sum(dtype='f8'))!r}"


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


def test_no_library_reads_or_writes_files_in_the_hosts_locale() -> None:
    root = Path(__file__).parents[3]
    door = re.compile(r"WriteImage|File(Reader|Writer)\(|\.(Write|Read)Data\(|im(read|write)\(")
    folders = ("gsema_core", "GSEMASegmentation", "GSEMATraining")
    files = [path for folder in folders for path in (root / folder).rglob("*.py")]
    texts = {path.name: path.read_text("utf-8") for path in files}
    users = {name for name, text in texts.items() if door.search(text)}
    assert {"pixels.py", "writing.py", "VolumeFiles.py"} <= users
    assert all(re.search(r"with.*(native_libraries|decimal_points)\(", texts[n]) for n in users)
