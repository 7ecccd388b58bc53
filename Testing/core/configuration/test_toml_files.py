from __future__ import annotations

from pathlib import Path

import pytest

from gsema_core.configuration import build, plain
from gsema_core.configuration.toml_files import read_toml, toml_text
from gsema_core.errors import UserError


def test_what_is_written_is_read_back(tmp_path: Path, sample: type) -> None:
    values = plain(build(sample, {"name": 'q"\\\n', "names": ["ä", "\x7f"], "limit": 1e-7}))
    path = tmp_path / "config.toml"
    path.write_text(toml_text(values), encoding="utf-8")
    assert build(sample, read_toml(path)) == build(sample, values)


def test_single_settings_stand_before_tables() -> None:
    text = toml_text({"run": {"steps": 3}, "preset": "paper"})
    assert text == 'preset = "paper"\n\n[run]\nsteps = 3\n'


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbfsteps = 3\n")
    assert read_toml(path) == {"steps": 3}


def test_tables_within_tables_are_read_back(tmp_path: Path) -> None:
    values = {
        "transforms": {
            "paper": {"strength": 2.5},
            "my_module:Mine": {"by": [1, 2], "ä": {"b": True}},
        },
        "network": {"kind": "a:B", "options": {}},
    }
    path = tmp_path / "config.toml"
    path.write_text(toml_text(values), encoding="utf-8")
    assert read_toml(path) == values


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"steps = ", "cannot be read"), (b"\xff\xfe", "cannot be read"), (b"a" + b".a" * 60, "deep")],
)
def test_what_is_no_toml_is_named(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"config\.toml .*{told}"):
        read_toml(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        read_toml(tmp_path / "config.toml")
