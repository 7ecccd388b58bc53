from __future__ import annotations

from pathlib import Path

import pytest

from gsema_core.files.dicom import mark
from gsema_core.files.dicom.mark import has_scan, is_dicom


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (bytes(128) + b"DICM", True),
        (bytes(128) + b"DICX", False),
        (b"\x08\0\x05\0CS\x0a\0ISO_IR 100" + bytes(200), True),
        (b"\x08\0\x16\0\x1a\0\0\x001.2.840.10008.5.1.4.1.1.2\0" + bytes(200), True),
        (b"\2\0\0\0UL\4\0" + bytes(200), True),
        (b"\x08\0\x16\0\xff\xff\xff\x7f" + bytes(200), False),
        (b"\x08\0\x05\0CS\x0a\0ISO_IR 100", False),
        (b"NRRD0005\n" + bytes(200), False),
        (b"", False),
    ],
)
def test_files_are_told_by_their_first_bytes(
    tmp_path: Path, content: bytes, expected: bool
) -> None:
    (tmp_path / "file").write_bytes(content)
    assert is_dicom(tmp_path / "file") is expected
    assert not is_dicom(tmp_path)
    assert not is_dicom(tmp_path / "missing")


def test_a_folder_has_scan_where_one_of_its_first_files_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not has_scan(tmp_path)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "IM1").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "notes.txt").write_text("no image")
    assert has_scan(tmp_path)
    assert not has_scan(tmp_path / "missing")
    monkeypatch.setattr(mark, "FILES_BEFORE_FIRST", 0)  # it gives up where only others come
    assert not has_scan(tmp_path)
