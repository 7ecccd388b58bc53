from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.networks import SegmentationNetwork
from gsema_core.teachers import (
    TeacherCard,
    add_teacher,
    find_teacher,
    list_teachers,
    registry,
    remove_teacher,
    save_teacher,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "added" / "teachers"


@pytest.fixture
def no_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUNDLED_TEACHER", tmp_path / "nowhere.safetensors")


def test_an_added_teacher_is_found_by_its_name_until_removed(
    teacher_file: Path, folder: Path
) -> None:
    added = add_teacher(teacher_file, folder)
    assert added.path == folder / "tiny.safetensors" == find_teacher("tiny", folder)
    assert added.path.read_bytes() == teacher_file.read_bytes()
    assert added in list_teachers(folder)
    remove_teacher("tiny", folder)
    with pytest.raises(UserError, match="no model named tiny"):
        find_teacher("tiny", folder)
    with pytest.raises(UserError, match="none to remove"):
        remove_teacher("tiny", folder)


def test_a_path_is_found_as_it_is(teacher_file: Path, folder: Path) -> None:
    assert find_teacher(teacher_file, folder) == teacher_file
    assert find_teacher(str(teacher_file), folder) == teacher_file


def test_default_is_the_bundled_teacher(
    teacher_file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "BUNDLED_TEACHER", teacher_file)
    assert find_teacher("default", folder) == teacher_file
    assert [one.name for one in list_teachers(folder)] == ["default"]


@pytest.mark.usefixtures("no_bundled")
def test_a_copy_without_bundled_teacher_says_so(folder: Path) -> None:
    with pytest.raises(UserError, match="no bundled model"):
        find_teacher("default", folder)
    assert list_teachers(folder) == []


def test_an_unknown_name_is_answered_with_the_known_ones(teacher_file: Path, folder: Path) -> None:
    add_teacher(teacher_file, folder)
    with pytest.raises(UserError, match="use one of default, tiny, or the path"):
        find_teacher("tinny", folder)


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "a\\b"])
def test_names_with_path_parts_never_reach_the_folder(
    name: str, folder: Path, teacher_file: Path
) -> None:
    folder.mkdir(parents=True)
    outside = folder.parent / "outside.safetensors"
    outside.write_bytes(teacher_file.read_bytes())
    with pytest.raises(UserError):
        find_teacher(name, folder)
    with pytest.raises(UserError, match="none to remove"):
        remove_teacher(name, folder)
    assert outside.exists()


def test_a_taken_name_is_not_overwritten(
    teacher_file: Path,
    folder: Path,
    tmp_path: Path,
    random_network: SegmentationNetwork,
    with_card: Callable[..., TeacherCard],
) -> None:
    add_teacher(teacher_file, folder)
    add_teacher(teacher_file, folder)  # the same file again changes nothing
    for name in ("tiny", "default"):
        other = tmp_path / "other.safetensors"
        save_teacher(other, random_network, with_card(name=name))
        with pytest.raises(UserError, match=f"named {name} is there already"):
            add_teacher(other, folder)
    assert (folder / "tiny.safetensors").read_bytes() == teacher_file.read_bytes()


@pytest.mark.usefixtures("no_bundled")
def test_a_broken_file_is_listed_with_its_problem(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "broken.safetensors").write_bytes(b"")
    (listed,) = list_teachers(folder)
    assert listed.card is None
    assert "no safetensors file" in listed.problem


def test_what_is_no_teacher_is_not_added(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "x.safetensors"
    source.write_bytes(b"hello world")
    with pytest.raises(UserError, match="cannot be used"):
        add_teacher(source, folder)
    assert not folder.exists()


def test_a_name_that_no_system_takes_is_unknown(folder: Path) -> None:
    with pytest.raises(UserError, match="There is no model named"):
        find_teacher("A" * 70_000, folder)


def test_without_a_home_folder_there_are_no_added_teachers(
    teacher_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container whose user the system does not know; files and the bundled one still go."""

    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    assert find_teacher(teacher_file) == teacher_file
    assert [one.name for one in list_teachers()] in (["default"], [])
    with pytest.raises(UserError, match="There is no model named tiny"):
        find_teacher("tiny")
    with pytest.raises(UserError, match=r"no home folder .* set HOME"):
        add_teacher(teacher_file)
    with pytest.raises(UserError, match="no home folder"):
        remove_teacher("tiny")
