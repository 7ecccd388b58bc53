from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.inference.output_paths import BESIDE, check_outputs, dicom_paths


def test_good_outputs_leave_nothing_behind(tmp_path: Path) -> None:
    old = tmp_path / "a.seg.nrrd"
    old.write_text("old")
    check_outputs(old, tmp_path / "p.nii.gz", tmp_path / "r.json", source=tmp_path / "scan.nrrd")
    assert old.read_text() == "old"
    assert list(tmp_path.iterdir()) == [old]


def test_unknown_formats(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"labels\.txt"):
        check_outputs(tmp_path / "labels.txt")
    with pytest.raises(UserError, match=r"p\.jpg"):
        check_outputs(tmp_path / "a.nrrd", tmp_path / "p.jpg")
    with pytest.raises(UserError, match="is JSON"):
        check_outputs(tmp_path / "a.nrrd", None, tmp_path / "r.txt")


def test_missing_folders_and_folders_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        check_outputs(tmp_path / "no" / "a.nrrd")
    with pytest.raises(UserError, match="does not exist"):
        check_outputs(tmp_path / "a.nrrd", None, tmp_path / "no" / "r.json")
    (tmp_path / "a.nrrd").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        check_outputs(tmp_path / "a.nrrd")


def test_the_scan_is_never_overwritten(tmp_path: Path) -> None:
    scan = tmp_path / "scan.nrrd"
    (tmp_path / "x").mkdir()
    with pytest.raises(UserError, match="overwrite the scan"):
        check_outputs(tmp_path / "x" / ".." / "scan.nrrd", source=scan)
    with pytest.raises(UserError, match="overwrite the scan"):
        check_outputs(tmp_path / "a.nrrd", scan, source=scan)


def test_two_outputs_need_two_names(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="same name"):
        check_outputs(tmp_path / "a.nrrd", tmp_path / "a.nrrd")


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refused(*arguments: object, **keywords: object) -> None:
        raise OSError(code, "refused")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", refused)
    with pytest.raises(UserError, match="Could not write"):
        check_outputs(tmp_path / "a.nrrd")


def test_a_link_to_a_slice_of_the_scan_is_refused(tmp_path: Path) -> None:
    """What a link points to is replaced, and that would be the scan's own slice."""
    scan = tmp_path / "dicom"
    scan.mkdir()
    (scan / "1.dcm").write_text("slice")
    link = tmp_path / "labels.nrrd"
    link.symlink_to(scan / "1.dcm")
    with pytest.raises(UserError, match="overwrite the scan"):
        check_outputs(link, source=scan)
    check_outputs(scan / "labels.nrrd", source=scan)  # beside the slices is no harm
    assert (scan / "1.dcm").read_text() == "slice"


def test_where_dicom_objects_go(tmp_path: Path) -> None:
    a, b = tmp_path / "a.dcm", tmp_path / "b.dcm"
    assert dicom_paths(tmp_path / "x.nrrd", None, None) == (None, None)
    assert dicom_paths(tmp_path / "x.nrrd", a, b) == (a, b)
    assert dicom_paths(a, None, b) == (a, b)
    beside = tmp_path / "x.seg.dcm", tmp_path / "x.sr.dcm"
    assert dicom_paths(tmp_path / "x.seg.nrrd", BESIDE, BESIDE) == beside
    assert dicom_paths(tmp_path / "x.nii.gz", BESIDE, BESIDE) == beside
    assert dicom_paths(beside[0], None, BESIDE) == beside
    with pytest.raises(UserError, match="leave out --dicom-seg"):
        dicom_paths(a, b, None)
    with pytest.raises(UserError, match="add --dicom-seg"):
        dicom_paths(tmp_path / "x.nrrd", None, b)


def test_no_dicom_image_is_replaced_but_a_result_is(tmp_path: Path) -> None:
    """Whatever study it is of."""
    head = bytes(128) + b"DICM\2\0\0\0UL\4\0\xc0\0\0\0\2\0\1\0OB\0\0\2\0\0\0\0\1"
    for number, name in (("2", "ct"), ("66.4", "seg"), ("88.22", "sr")):
        kind = b"1.2.840.10008.5.1.4.1.1." + number.encode()
        length = len(kind).to_bytes(2, "little")
        (tmp_path / f"{name}.dcm").write_bytes(head + b"\2\0\2\0UI" + length + kind + bytes(300))
    with pytest.raises(UserError, match=r"ct\.dcm is a DICOM image already"):
        check_outputs(None, dicom_seg=tmp_path / "ct.dcm")
    check_outputs(None, dicom_seg=tmp_path / "seg.dcm", dicom_sr=tmp_path / "sr.dcm")
