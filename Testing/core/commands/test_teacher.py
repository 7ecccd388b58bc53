from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gsema_core.cli import main
from gsema_core.evaluation.teacher_score import write_with_card
from gsema_core.exit_codes import EXIT_USER_ERROR
from gsema_core.intensities.appearance_ranges import Appearance, AppearanceRanges
from gsema_core.teachers import read_card, registry
from gsema_core.teachers.teacher_file import file_hash


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "user_folder", lambda: tmp_path / "teachers")
    monkeypatch.setattr(registry, "BUNDLED_TEACHER", tmp_path / "none.safetensors")


def test_info_for_people(teacher_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teacher", "info", str(teacher_file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line in (
        "name: tiny", "spacing mm: 0.8", "window: 32, 32, 32", "license: CC0-1.0", "network",
        "  kind: cnn", "  D", "    aneurysm dice: 0.5", f"sha256: {file_hash(teacher_file)}",
    ):  # fmt: skip
        assert line in lines


def test_info_as_json(teacher_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teacher", "info", str(teacher_file), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert (card["name"], card["window"]) == ("tiny", [32, 32, 32])
    assert card["sha256"] == file_hash(teacher_file)


def test_info_on_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"x" * 100)
    assert main(["teacher", "info", str(broken)]) == EXIT_USER_ERROR
    assert main(["teacher", "info", "default"]) == EXIT_USER_ERROR
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert "no safetensors file" in errors[0]
    assert "no bundled model" in errors[1]


def test_add_list_remove(
    teacher_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> str:
        assert main(["teacher", *arguments]) == 0
        return capsys.readouterr().out

    assert "no teacher yet" in said("list")
    assert '--teacher "tiny"' in said("add", str(teacher_file))
    (tmp_path / "teachers" / "broken.safetensors").write_bytes(b"")
    broken, tiny = said("list").splitlines()
    assert broken.startswith("broken") and "no safetensors" in broken
    assert tiny.split() == ["tiny", "tiny:", "cnn,", "0.8", "mm"]
    assert "Removed tiny" in said("remove", "tiny")
    assert "tiny" not in said("list")


def test_info_tells_what_the_training_scans_looked_like(
    teacher_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = Appearance(0.4, 60.0, 70.0, 0.7, 0.01, 0.02, 0.2, 0.004, 0.9, 0.8, 0.5)
    ranges = AppearanceRanges.of([scan, replace(scan, noise=0.03)])
    file = tmp_path / "ranged.safetensors"
    write_with_card(teacher_file, replace(read_card(teacher_file), appearance=ranges), file)
    assert main(["teacher", "info", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[lines.index("appearance") + 1 :][:2] == ["  scans: 2", "  voxel mm: 0.4 to 0.4"]
    assert "  noise: 0.01 to 0.03" in lines
    assert main(["teacher", "info", str(teacher_file)]) == 0
    assert "appearance: -" in capsys.readouterr().out.splitlines()
