from __future__ import annotations

import errno
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.files import atomic
from gsema_core.files.atomic import atomic_path, check_writable, is_there, make_folder


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.seg.nrrd"
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.name == path.name  # writers choose the format by all suffixes
    assert path.read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError("64000 requested and 28544 written"),  # NumPy's, on a full disk
    ],
)
def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path: Path, error: OSError) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with (
        pytest.raises(UserError, match=r"Could not write .*a\.csv .*unchanged"),
        atomic_path(path) as temporary,
    ):
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_other_failures_leave_the_old_file_and_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), atomic_path(path):
        pass  # nothing was written, which is a mistake of the program
    with pytest.raises(KeyError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert path.read_text() == "old"


def test_a_read_only_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(atomic.tempfile, "TemporaryDirectory", refuse)
    with (
        pytest.raises(UserError, match=r"a\.csv .Read-only file system"),
        atomic_path(tmp_path / "a.csv"),
    ):
        pass


def test_a_try_leaves_nothing_behind(tmp_path: Path) -> None:
    old = tmp_path / "a.csv"
    old.write_text("old")
    check_writable(old)
    check_writable(tmp_path / "b.csv")
    assert old.read_text() == "old"
    assert list(tmp_path.iterdir()) == [old]


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_try_fails_where_writing_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(code, "refused")

    with pytest.raises(UserError, match="does not exist"):
        check_writable(tmp_path / "missing" / "a.csv")
    with pytest.raises(UserError, match="is a folder"):
        check_writable(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(UserError, match=r"Could not write .*a\.csv"):
        check_writable(tmp_path / "a.csv")


def test_folders_are_made_or_the_reason_is_told(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "a" / "b").is_dir()
    assert make_folder(tmp_path / "a" / "b").is_dir()  # it may be there already
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file/c cannot be made \(Not a directory\)"):
        make_folder(tmp_path / "file" / "c")


def test_names_that_no_system_takes_are_not_there(tmp_path: Path) -> None:
    assert is_there(tmp_path)
    assert not is_there(tmp_path / "missing")
    assert not is_there(tmp_path / ("A" * 70_000))
    assert not is_there(tmp_path / "a\0b")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path, is_there: bool) -> None:
    target, link = tmp_path / "archive" / "no suffix", tmp_path / "labels.nrrd"
    target.parent.mkdir()
    if is_there:
        target.write_text("old")
    link.symlink_to(target)
    with atomic_path(link) as temporary:
        assert temporary.name == "labels.nrrd"  # writers choose the format by it
        temporary.write_text("new")
    assert link.is_symlink() and link.resolve() == target.resolve()
    assert target.read_text() == "new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "archive", "labels.nrrd", "no suffix",
    ]  # fmt: skip


def test_a_link_that_leads_in_a_circle_is_told(tmp_path: Path) -> None:
    link = tmp_path / "labels.nrrd"
    link.symlink_to(link)
    with pytest.raises(UserError, match="leads to itself"), atomic_path(link):
        pass
    assert link.is_symlink()
