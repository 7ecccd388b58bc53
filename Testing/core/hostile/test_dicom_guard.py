"""DICOM files that claim more than they have: refused before anything is allocated for it."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.files import read_volume
from gsema_core.files.dicom import guard
from gsema_core.files.dicom.guard import check_coded_frame
from gsema_core.files.dicom.picture import read_picture
from gsema_core.files.voxel_data import DamagedFile

EXPLICIT, JPEG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"
DEFLATED = "1.2.840.10008.1.2.1.99"
UNDEFINED = 0xFFFFFFFF
LONG = ("OB", "OW", "SQ", "UN", "UT")
MEGABYTES_50 = 50 * 2**20


def element(group: int, number: int, kind: str, value: bytes, length: int | None = None) -> bytes:
    """One element; without ``kind`` it is implicit."""
    length = len(value) if length is None else length
    tag = struct.pack("<2H", group, number)
    if not kind:
        return tag + struct.pack("<I", length) + value
    if kind in LONG:
        return tag + kind.encode() + b"\0\0" + struct.pack("<I", length) + value
    return tag + kind.encode() + struct.pack("<H", length) + value


def item(value: bytes, length: int | None = None) -> bytes:
    return element(0xFFFE, 0xE000, "", value, length)


SEQUENCE_END = element(0xFFFE, 0xE0DD, "", b"")
NAME = element(0x10, 0x10, "PN", b"Nobody")


def dicom(path: Path, *elements: bytes, syntax: str = EXPLICIT) -> Path:
    named = element(2, 0x10, "UI", syntax.encode().ljust(len(syntax) + len(syntax) % 2, b"\0"))
    length = element(2, 0, "UL", struct.pack("<I", len(named)))
    path.write_bytes(bytes(128) + b"DICM" + length + named + b"".join(elements))
    return path


def image(rows: int = 4, columns: int = 6, bits: int = 16, frames: bytes = b"1 ") -> bytes:
    sizes = {0x10: rows, 0x11: columns, 0x100: bits}
    return element(0x28, 8, "IS", frames) + b"".join(
        element(0x28, number, "US", struct.pack("<H", value)) for number, value in sizes.items()
    )


def pixels(count: int = 48) -> bytes:
    return element(0x7FE0, 0x10, "OW", bytes(count))


def coded(content: bytes) -> bytes:
    return element(0x7FE0, 0x10, "OB", item(b"") + item(content) + SEQUENCE_END, UNDEFINED)


def shape(path: Path) -> tuple[int, int, int] | None:
    picture = read_picture(path)
    return picture and (picture.count, picture.rows, picture.columns)


def test_what_is_in_order_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    assert shape(dicom(path, NAME, image(), pixels())) == (1, 4, 6)
    assert shape(dicom(path, image(frames=b"3 "), pixels(144))) == (3, 4, 6)
    assert shape(dicom(path, image(512, 512), coded(bytes(250)), syntax=JPEG)) == (1, 512, 512)
    assert shape(dicom(path, NAME)) is None


@pytest.mark.parametrize(
    ("syntax", "elements"),
    [
        (EXPLICIT, [image()]),
        (EXPLICIT, [image(), pixels(30)]),
        (EXPLICIT, [image(60_000, 60_000), pixels()]),
        (EXPLICIT, [image(frames=b"99999999"), pixels()]),
        (EXPLICIT, [image(frames=b"19999 "), pixels()]),
        (EXPLICIT, [image(bits=0), pixels()]),
        (EXPLICIT, [image(bits=65_535), pixels()]),
        (JPEG, [image(60_000, 60_000), coded(b"x")]),
        (JPEG, [image(30_000, 30_000), coded(b"x")]),
        (EXPLICIT, [element(8, 0x1140, "SQ", item(b"", UNDEFINED) * 5000, UNDEFINED), image()]),
        (EXPLICIT, [(element(8, 0x1140, "SQ", b"", UNDEFINED) + item(b"", UNDEFINED)) * 5000]),
    ],
)
def test_what_claims_more_than_it_has_is_refused(
    tmp_path: Path, syntax: str, elements: list[bytes]
) -> None:
    path = dicom(tmp_path / "a.dcm", *elements, syntax=syntax)
    tracemalloc.start()
    try:
        with pytest.raises(DamagedFile):
            assert read_picture(path) is not None
            pytest.fail("taken")
        assert tracemalloc.get_traced_memory()[1] < MEGABYTES_50
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["PN", "UN", "OW", "SQ"])
def test_lengths_are_not_taken_at_their_word(tmp_path: Path, kind: str) -> None:
    """Two of four gigabytes, in a file of a few bytes: among what is read, and passed over."""
    long = element(0x28, 0x3000, kind, b"x", 0xFFFFFFF0 if kind != "PN" else 0xFFFF)
    path = dicom(tmp_path / "a.dcm", long)
    tracemalloc.start()
    with pytest.raises(DamagedFile, match="reaches beyond its end"):
        read_picture(path)
    assert tracemalloc.get_traced_memory()[1] < MEGABYTES_50
    tracemalloc.stop()


@pytest.mark.parametrize("spelled", [DEFLATED, DEFLATED + "\0"])
def test_a_data_set_that_inflates_without_end(tmp_path: Path, spelled: str) -> None:
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    filling = element(9, 1, "UN", b"", 2**30) + bytes(2**20)
    content = deflate.compress(image() + filling)
    for _ in range(64):
        content += deflate.compress(bytes(2**20))
    path = dicom(tmp_path / "a.dcm", content + deflate.flush(), syntax=spelled)
    tracemalloc.start()
    with pytest.raises(DamagedFile):
        read_picture(path)
    assert tracemalloc.get_traced_memory()[1] < MEGABYTES_50
    tracemalloc.stop()


def test_millions_of_elements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAXIMUM_READS", 100)
    with pytest.raises(DamagedFile, match="too many"):
        read_picture(dicom(tmp_path / "a.dcm", NAME * 101))


def test_millions_of_items(tmp_path: Path) -> None:
    """Of a sequence that is only parsed when it is asked for."""
    items = item(b"") * (guard.MAXIMUM_ITEMS + 1)
    groups = element(0x5200, 0x9230, "SQ", items)
    path = dicom(tmp_path / "a.dcm", image(), groups, pixels())
    with pytest.raises(DamagedFile, match="too many"):
        from gsema_core.files.dicom.frames import frames_of

        picture = read_picture(path)
        assert picture is not None
        frames_of(picture)


JPEG_FRAME = b"\xff\xd8\xff\xe0\0\4ab\xff\xc3\0\x0b\x10\0\x04\0\x06\1\1\x11\0"
J2K_FRAME = b"\xff\x4f\xff\x51" + struct.pack(
    ">HH8IH3B", 41, 0, 6, 4, 0, 0, 6, 4, 0, 0, 1, 15, 1, 1
)


@pytest.mark.parametrize("frame", [JPEG_FRAME, J2K_FRAME])
def test_a_frame_says_how_large_it_is(frame: bytes) -> None:
    """The codecs write as much as the frame's own header says."""
    check_coded_frame(frame, 4, 6, 16)
    for rows, columns, bits in ((5, 6, 16), (4, 7, 16), (4, 6, 8)):
        with pytest.raises(DamagedFile, match="another size"):
            check_coded_frame(frame, rows, columns, bits)
    for cut in range(len(frame) - 3):
        with pytest.raises((DamagedFile, struct.error)):
            check_coded_frame(frame[:cut], 4, 6, 16)


def test_only_dicom_files_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def refuse(path: Path) -> None:
        opened.append(path.name)
        raise DamagedFile("its elements contradict each other")

    monkeypatch.setattr("gsema_core.files.dicom.find.read_picture", refuse)
    dicom(tmp_path / "good.dcm", NAME)
    (tmp_path / "README.txt").write_text("exported by the archive" * 20)
    with pytest.raises(UserError, match="has DICOM files, but 1 file could not be read"):
        read_volume(tmp_path)
    assert opened == ["good.dcm"]
