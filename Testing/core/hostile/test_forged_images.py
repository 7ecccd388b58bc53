"""Image files that were made to do harm: read other files, fill the memory, wait forever."""

from __future__ import annotations

import gzip
import os
import re
import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import gsema_core
from gsema_core.errors import UserError
from gsema_core.files import read_volume
from gsema_core.files.voxel_data import DamagedFile, inflated
from gsema_core.inference.folders.scan_list import find_scans

SHAPE = (6, 7, 8)
BOMB = gzip.compress(bytes(2**26), 1)
ZLIB_BOMB = zlib.compress(bytes(2**26), 1)
MEMORY_BYTES = 48 * 2**20
"""One piece of a stream inflates to 32 MB at most; the bombs here are larger."""
NRRD = (
    "NRRD0004\ntype: short\ndimension: 3\nsizes: 8 7 6\nspacings: 0.4 0.4 0.5\n"
    "endian: little\nencoding: {encoding}\n{more}\n"
)
META = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
    "CompressedData = {packed}\nElementSpacing = 0.4 0.4 0.5\nDimSize = 8 7 6\n"
    "ElementType = MET_SHORT\n{more}ElementDataFile = {data}\n"
)


def voxels() -> bytes:
    return np.random.default_rng(1).integers(0, 900, SHAPE).astype("<i2").tobytes()


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_volume(path)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


@pytest.fixture
def unread() -> Iterator[None]:
    """No memory may be taken for what is not there or is too much."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY_BYTES


def write_pair(folder: Path, kind: str, data: str) -> Path:
    """A header that names a data file."""
    folder.mkdir(exist_ok=True)
    path = folder / f"scan.{kind}"
    if kind == "nhdr":
        path.write_text(NRRD.format(encoding="raw", more=f"data file: {data}\n"))
    else:
        path.write_text(META.format(packed="False", more="", data=data))
    return path


@pytest.mark.parametrize("kind", ["nhdr", "mhd"])
def test_voxels_beside_the_header_are_read(tmp_path: Path, kind: str) -> None:
    path = write_pair(tmp_path, kind, "scan data.raw")
    (tmp_path / "scan data.raw").write_bytes(voxels())
    assert read_volume(path).array.astype("<i2").tobytes() == voxels()


@pytest.mark.parametrize("kind", ["nhdr", "mhd"])
@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("../secret.raw", "outside its own folder"),
        ("sub/../../secret.raw", "outside its own folder"),
        ("{secret}", "outside its own folder"),
        ("C:\\secret.raw", "outside its own folder"),
        ("..\\secret.raw", "outside its own folder"),
        ("\\\\server\\secret.raw", "outside its own folder"),
        ("LIST", "several data files"),
        ("LIST 2", "several data files"),
        ("%03d.raw 1 6 1", "several data files"),
        ("none.raw", "missing"),
        (".", "missing"),
    ],
)
def test_no_header_reads_other_files(
    tmp_path: Path, kind: str, data: str, told: str, unread: None
) -> None:
    secret = tmp_path / "secret.raw"
    secret.write_bytes(voxels())
    path = write_pair(tmp_path / "scan", kind, data.format(secret=secret))
    assert told in refusal(path)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_packed_voxels_inflate_to_no_more_than_the_header_says(
    tmp_path: Path, suffix: str, unread: None
) -> None:
    path = tmp_path / f"bomb{suffix}"
    if suffix == ".nrrd":
        content = NRRD.format(encoding="gzip", more="").encode() + BOMB
    else:
        head = META.format(packed="True", more="CompressedDataSize = 9\n", data="LOCAL")
        content = head.encode() + ZLIB_BOMB
    path.write_bytes(content)
    assert "damaged" in refusal(path)


def test_a_packed_nifti_file_inflates_to_no_more_than_its_header_says(
    tmp_path: Path, unread: None
) -> None:
    path = tmp_path / "bomb.nii.gz"
    image = sitk.GetImageFromArray(np.frombuffer(voxels(), "<i2").reshape(SHAPE))
    sitk.WriteImage(image, str(path))
    path.write_bytes(path.read_bytes() + BOMB)
    assert "damaged" in refusal(path)


def test_inflating_stops_where_it_is_too_much(tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    path.write_bytes(gzip.compress(bytes(2**24)) * 32)  # several streams in a row are one file
    with path.open("rb") as file:
        with pytest.raises(DamagedFile, match="far more"):
            list(inflated(file, "deflate", 2**20))
        assert file.tell() < path.stat().st_size / 4


@pytest.mark.parametrize("data", [b"x" * 60, gzip.compress(b"x" * 60)])
@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_sizes_beyond_the_file_are_refused_before_memory_is_taken(
    tmp_path: Path, suffix: str, data: bytes, unread: None
) -> None:
    packed = data.startswith(b"\x1f")
    path = tmp_path / f"scan{suffix}"
    if suffix == ".nrrd":
        head = NRRD.format(encoding="gzip" if packed else "raw", more="")
        head = head.replace("8 7 6", "1000 1000 1000")
    else:
        head = META.format(packed=packed, more="CompressedDataSize = 60\n", data="LOCAL")
        head = head.replace("8 7 6", "1000 1000 1000")
    path.write_bytes(head.encode() + data)
    assert "damaged or cut off" in refusal(path)


@pytest.mark.parametrize("encoding", ["ascii", "hex"])
def test_voxels_in_letters_need_as_many_letters(
    tmp_path: Path, encoding: str, unread: None
) -> None:
    path = tmp_path / "scan.nrrd"
    path.write_text(NRRD.format(encoding=encoding, more="") + "12 " * 20)
    assert "damaged or cut off" in refusal(path)


@pytest.mark.parametrize("encoding", ["brotli", "zrl", ""])
def test_an_unknown_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "scan.nrrd"
    path.write_text(NRRD.format(encoding=encoding, more="") + "12 " * 20)
    assert f"has the encoding {encoding!r}, which cannot be read" in refusal(path)


@pytest.mark.parametrize(
    "line",
    [
        "sizes: " + "A" * 70_000, "type: short", "byte skip: -7", "line skip: 999999999999",
        "byteskip: x", "no field at all", "sizes: 8 7 6 5", "spacings: " + "1 " * 70_000,
    ],
)  # fmt: skip
def test_fields_that_contradict(tmp_path: Path, line: str) -> None:
    path = tmp_path / "scan.nrrd"
    path.write_bytes(NRRD.format(encoding="raw", more=line + "\n").encode() + voxels())
    assert "damaged or cut off" in refusal(path)


@pytest.mark.parametrize(
    "line",
    [
        "NDims = 3", "Offset = 0 0", "Offset = 0 0 nan", "TransformMatrix = 1 0 0",
        "HeaderSize = 1e99", "ElementNumberOfChannels = x", "ElementByteOrderMSB = perhaps",
        "nothing", "ElementToIntensityFunctionSlope = x", "DimSize = 1" + "0" * 5000,
    ],
)  # fmt: skip
def test_meta_fields_that_contradict(tmp_path: Path, line: str) -> None:
    path = tmp_path / "scan.mha"
    head = META.format(packed="False", more=line + "\n", data="LOCAL")
    path.write_bytes(head.encode() + voxels())
    assert "damaged or cut off" in refusal(path)


@pytest.mark.parametrize("line", ["content: " + "A" * 70_000, "labels: \0", "key:=\0\x1b[2J"])
def test_fields_that_broke_the_library_harm_nothing(tmp_path: Path, line: str) -> None:
    path = tmp_path / "scan.nrrd"
    path.write_bytes(NRRD.format(encoding="raw", more=line + "\n").encode() + voxels())
    assert read_volume(path).array.astype("<i2").tobytes() == voxels()


@pytest.mark.parametrize(
    "line", ["Comment = " + "A" * 70_000, "CompressedDataSize = " + "9" * 40, "Name = \0"]
)
def test_meta_fields_that_broke_the_library_harm_nothing(tmp_path: Path, line: str) -> None:
    path = tmp_path / "scan.mha"
    head = META.format(packed="False", more=line + "\n", data="LOCAL")
    path.write_bytes(head.encode() + voxels())
    assert read_volume(path).array.astype("<i2").tobytes() == voxels()


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("filler", [b" ", b"(", b'"', b":", b"=", b"0 ", b"#"])
def test_long_lines_take_no_time(tmp_path: Path, suffix: str, filler: bytes) -> None:
    """A pattern that goes back over what it has read would take hours."""
    path = tmp_path / f"scan{suffix}"
    line = filler * (2**19 // len(filler))
    if suffix == ".nrrd":
        head = NRRD.replace("spacings: 0.4 0.4 0.5", "space: LPS\nspace directions: LINE")
        head = head.format(encoding="raw", more="")
    else:
        head = META.replace("0.4 0.4 0.5", "LINE").format(packed="False", more="", data="LOCAL")
    path.write_bytes(head.encode().replace(b"LINE", line) + voxels())
    with pytest.raises(UserError):
        read_volume(path)


@pytest.mark.parametrize("axes", ["-1", "0", "11", "4294967296", "99999999999999999999999", ""])
def test_a_number_of_axes_beyond_the_tables(tmp_path: Path, axes: str) -> None:
    """MetaIO crashes at it."""
    path = tmp_path / "scan.mha"
    head = META.format(packed="False", more="", data="LOCAL").replace("= 3\n", f"= {axes}\n")
    path.write_bytes(head.encode() + voxels())
    assert "damaged or cut off" in refusal(path)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e30])
@pytest.mark.parametrize(
    ("field", "codes"), [(260, (1, 0)), (268, (1, 0)), (292, (0, 1)), (300, (0, 1))]
)
def test_nifti_axes_without_end(
    tmp_path: Path, value: float, field: int, codes: tuple[int, int]
) -> None:
    path = tmp_path / "scan.nii"
    sitk.WriteImage(sitk.GetImageFromArray(np.frombuffer(voxels(), "<i2").reshape(SHAPE)), path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<2h", content, 252, *codes)
    struct.pack_into("<f", content, field, value)
    path.write_bytes(content)
    message = refusal(path)
    assert "damaged or cut off" in message or "has two voxel spacings" in message


@pytest.mark.parametrize("bits", [0, 1, 20, -32])
def test_the_type_says_how_long_nifti_voxels_are(tmp_path: Path, bits: int) -> None:
    """With a small number of bits a file that is cut off would look whole."""
    path = tmp_path / "scan.nii"
    array = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    sitk.WriteImage(sitk.GetImageFromArray(array), path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<h", content, 72, bits)
    path.write_bytes(content)
    assert np.array_equal(read_volume(path).array, array)
    path.write_bytes(content[:-40])
    assert "damaged or cut off" in refusal(path)
    struct.pack_into("<h", content, 70, 77)
    path.write_bytes(content)
    assert "unknown type 77" in refusal(path)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.TGZ", "a.mrb", "a.7z"])
def test_archives_are_not_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\3\4")
    assert "is an archive, and none is opened: unpack it" in refusal(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "scan.nrrd")
    assert "is a device or a pipe" in refusal(tmp_path / "scan.nrrd")
    assert "has no DICOM images" in refusal(tmp_path)
    os.mkfifo(tmp_path / "scan.raw")
    assert "missing or no file" in refusal(write_pair(tmp_path, "mhd", "scan.raw"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_in_a_folder_of_scans(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "pipe.dcm")
    with pytest.raises(UserError, match="has no scans"):
        find_scans(tmp_path, tmp_path / "out")


def test_files_are_opened_by_the_library_in_one_place_only() -> None:
    """Whoever asks ITK for a header without a check first brings the crashes back."""
    package = Path(gsema_core.__file__).parent
    users = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"ImageFileReader|ImageSeriesReader|ReadImage\b", path.read_text("utf-8"))
    }
    assert users == {"files/dicom/pixels.py"}
