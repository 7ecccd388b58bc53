"""DICOM files element by element: what lies in each other is accepted, what does not is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.files import read_volume
from gsema_core.files.dicom import structure
from gsema_core.files.dicom.structure import MAXIMUM_DEPTH, check_structure
from gsema_core.files.voxel_data import DamagedFile

EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
JPEG = "1.2.840.10008.1.2.4.70"
UNDEFINED = 0xFFFFFFFF
LONG = ("OB", "OW", "SQ", "UN", "UT")


def element(
    group: int, number: int, kind: str, value: bytes, length: int | None = None, order: str = "<"
) -> bytes:
    """One element; without ``kind`` it is implicit."""
    length = len(value) if length is None else length
    tag = struct.pack(order + "2H", group, number)
    if not kind:
        return tag + struct.pack(order + "I", length) + value
    if kind in LONG:
        return tag + kind.encode() + b"\0\0" + struct.pack(order + "I", length) + value
    return tag + kind.encode() + struct.pack(order + "H", length) + value


def item(value: bytes, length: int | None = None) -> bytes:
    return element(0xFFFE, 0xE000, "", value, length)


ITEM_END = element(0xFFFE, 0xE00D, "", b"")
SEQUENCE_END = element(0xFFFE, 0xE0DD, "", b"")


def dicom(path: Path, *elements: bytes, syntax: str = EXPLICIT) -> Path:
    start = element(2, 0x10, "UI", syntax.encode().ljust(len(syntax) + len(syntax) % 2, b"\0"))
    path.write_bytes(bytes(128) + b"DICM" + start + b"".join(elements))
    return path


def image(rows: int = 4, columns: int = 6, bits: int = 16, order: str = "<") -> bytes:
    sizes = {0x10: rows, 0x11: columns, 0x100: bits}
    return b"".join(
        element(0x28, number, "US", struct.pack(order + "H", value), order=order)
        for number, value in sizes.items()
    )


def pixels(count: int = 48, order: str = "<") -> bytes:
    return element(0x7FE0, 0x10, "OW", bytes(count), order=order)


NAME = element(0x10, 0x10, "PN", b"Nobody")


@pytest.mark.parametrize(
    "elements",
    [
        [],
        [NAME, image(), pixels()],
        [element(8, 0x1140, "SQ", b""), NAME],
        [element(8, 0x1140, "SQ", item(NAME) + item(b"")), NAME],
        [element(8, 0x1140, "SQ", item(NAME + ITEM_END, UNDEFINED) + SEQUENCE_END, UNDEFINED)],
        [element(8, 0x1140, "SQ", item(element(8, 0x1140, "SQ", item(NAME)))), NAME],
        [element(9, 1, "UN", item(element(9, 2, "", b"abcd")) + SEQUENCE_END, UNDEFINED), NAME],
        [image(), element(0x28, 8, "IS", b"3 "), pixels(3 * 48)],
    ],
)
def test_what_is_in_order_passes(tmp_path: Path, elements: list[bytes]) -> None:
    check_structure(dicom(tmp_path / "a.dcm", *elements))


def test_other_syntaxes(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    nested = element(8, 0x1140, "", item(element(0x10, 0x10, "", b"Nobody")) + SEQUENCE_END,
                     UNDEFINED)  # fmt: skip
    check_structure(dicom(path, nested, syntax=IMPLICIT))
    check_structure(dicom(path, image(order=">"), pixels(order=">"), syntax=BIG))
    packed = item(b"") + item(b"compressed") + SEQUENCE_END
    check_structure(dicom(path, image(), element(0x7FE0, 0x10, "OB", packed, UNDEFINED),
                          syntax=JPEG))  # fmt: skip
    air = element(0x7FE0, 0x10, "OB", item(b"") + item(bytes(250)) + SEQUENCE_END, UNDEFINED)
    check_structure(dicom(path, image(512, 512), air, syntax=JPEG))
    mask = [image(32, 32, bits=1), pixels(128)]
    check_structure(dicom(path, *mask))


@pytest.mark.parametrize(
    "elements",
    [
        [element(0x10, 0x10, "PN", b"Nobody", 200)],
        [element(0x7FE0, 0x10, "OW", b"", 0x7FFFFFFF)],
        [element(0x7FE0, 0x10, "OB", item(b"", 1000) + SEQUENCE_END, UNDEFINED)],
        [element(0x7FE0, 0x10, "OB", item(b"x"), UNDEFINED)],
        [element(0x10, 0x10, "??", b"Nobody")],
        [element(0x10, 0x10, "QN", b"Nobody")],
        [NAME[:9]],
        [element(8, 0x1140, "SQ", item(NAME, 500))],
        [element(8, 0x1140, "SQ", NAME)],
        [element(8, 0x1140, "SQ", item(element(0x10, 0x10, "PN", b"x", 60))), NAME, pixels()],
        [image(), pixels(46)],
        [image(60_000, 60_000), pixels()],
        [image(), element(0x28, 8, "IS", b"99999999"), pixels()],
        [image(), element(0x28, 8, "IS", b"-1"), pixels()],
        [image()],
        [image(60_000, 60_000), element(0x7FE0, 0x10, "OB", item(b"x") + SEQUENCE_END, UNDEFINED)],
        [image(32, 32, bits=1), pixels(126)],
    ],
)
def test_what_is_not_is_refused(tmp_path: Path, elements: list[bytes]) -> None:
    with pytest.raises(DamagedFile):
        check_structure(dicom(tmp_path / "a.dcm", *elements))


def test_sequences_without_end(tmp_path: Path) -> None:
    opened = element(8, 0x1140, "SQ", item(b"", UNDEFINED), UNDEFINED)
    with pytest.raises(DamagedFile, match="without end"):
        check_structure(dicom(tmp_path / "a.dcm", opened * 5000))
    check_structure(dicom(tmp_path / "a.dcm", opened * MAXIMUM_DEPTH))


def test_a_data_set_that_inflates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match="compressed"):
        check_structure(dicom(tmp_path / "a.dcm", syntax="1.2.840.10008.1.2.1.99"))


def test_millions_of_elements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "MAXIMUM_ELEMENTS", 100)
    with pytest.raises(DamagedFile, match="too many"):
        check_structure(dicom(tmp_path / "a.dcm", NAME * 101))


def test_only_checked_files_get_to_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of other files it would take the first letters for a length, and allocate that."""
    opened: list[str] = []

    def header(file: str) -> None:
        opened.append(Path(file).name)
        raise RuntimeError

    monkeypatch.setattr("gsema_core.files.dicom.series._header", header)
    dicom(tmp_path / "good.dcm", NAME)
    dicom(tmp_path / "bad.dcm", element(0x7FE0, 0x10, "OW", b"", 0x7FFFFFFF))
    (tmp_path / "README.txt").write_text("exported by the archive")
    with pytest.raises(UserError, match="has no DICOM images"):
        read_volume(tmp_path)
    assert opened == ["good.dcm"]
