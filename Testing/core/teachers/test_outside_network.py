"""Teachers whose network is from outside: a file alone has nothing imported."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from gsema_core.cli import main
from gsema_core.errors import UserError
from gsema_core.networks import NetworkConfig, build_network
from gsema_core.teachers import load_teacher, read_card, save_teacher
from gsema_core.teachers.teacher_file import METADATA_KEY


def save(path: Path, config: NetworkConfig, with_card: Any) -> Path:
    save_teacher(path, build_network(config), with_card(network=config.to_dict()))
    return path


def test_a_teacher_of_it_loads_where_it_is_named(
    own_network: Any, tmp_path: Path, with_card: Any
) -> None:
    config = own_network("own_small_2", width=5)
    path = save(tmp_path / "own.safetensors", config, with_card)
    assert read_card(path).network["kind"] == "own_small_2:Small"
    teacher = load_teacher(path, network="own_small_2:Small")
    assert teacher.network.down.out_channels == 5 and not teacher.network.training
    with pytest.raises(UserError, match="name it yourself: --network own_small_2:Small"):
        load_teacher(path)
    with pytest.raises(UserError, match="its network is own_small_2:Small"):
        load_teacher(path, network="own_small_2:Smaller")


def test_an_installed_network_needs_no_naming(
    own_network: Any, entry_point: Any, tmp_path: Path, with_card: Any
) -> None:
    own_network("own_small_3")
    entry_point("gsema.networks", "small", "own_small_3:Small")
    path = save(tmp_path / "own.safetensors", NetworkConfig("small", stages=2), with_card)
    assert load_teacher(path).card.network["kind"] == "small"


def hostile(path: Path, teacher_file: Path, kind: str) -> Path:
    """A teacher file that would have a module imported."""
    card = {**read_card(teacher_file).to_dict()}
    card["network"] = {**card["network"], "kind": kind}
    save_file(load_file(teacher_file), path, {METADATA_KEY: json.dumps(card)})
    return path


EVIL = "import pathlib\npathlib.Path('harm').touch()\nclass Net: pass\n"


@pytest.mark.parametrize("kind", ["own_evil:Net", "os:system", "this:s", "own_evil.deeper:Net"])
def test_a_file_alone_has_nothing_imported(
    own_module: Any, tmp_path: Path, teacher_file: Path, kind: str
) -> None:
    own_module("own_evil", EVIL)
    sys.path.insert(0, str(tmp_path))  # even where it could be
    path = hostile(tmp_path / "evil.safetensors", teacher_file, kind)
    before = set(sys.modules)
    read_card(path)
    with pytest.raises(UserError, match=f"its network is {kind}, which is code from outside"):
        load_teacher(path)
    with pytest.raises(UserError, match="code from outside"):
        load_teacher(path, network="own_other:Net")
    assert not (tmp_path / "harm").exists()
    assert not {"own_evil", "this"} & (set(sys.modules) - before)


@pytest.mark.parametrize(
    "kind",
    [
        "evil",
        "own_evil",
        "../own_evil:Net",
        "own_evil:Net;x",
        "own_evil:Net\x1b[2J",
        ":Net",
        "a:" + "b" * 300,
    ],
)
def test_other_names_are_no_networks(
    own_module: Any, tmp_path: Path, teacher_file: Path, kind: str
) -> None:
    own_module("own_evil", EVIL)
    path = hostile(tmp_path / "evil.safetensors", teacher_file, kind)
    for load in (read_card, load_teacher):
        with pytest.raises(UserError, match="setting kind of the network is"):
            load(path)
    assert not (tmp_path / "harm").exists()


def test_no_command_imports_what_a_file_names(
    own_module: Any, tmp_path: Path, teacher_file: Path, scan_file: Path, capsys: Any
) -> None:
    own_module("own_evil", EVIL)
    evil = str(hostile(tmp_path / "evil.safetensors", teacher_file, "own_evil:Net"))
    scans, out = tmp_path / "scans", tmp_path / "out"
    scans.mkdir()
    (scans / scan_file.name).write_bytes(scan_file.read_bytes())
    for command in (
        ["segment", str(scan_file), "-o", "o.nrrd", "--teacher", evil],
        ["segment", str(scans), "-o", str(out), "--teacher", evil],
    ):
        assert main(command) == 2
        assert "--network own_evil:Net" in capsys.readouterr().err
    assert main(["teacher", "info", evil]) == 0
    assert not (tmp_path / "harm").exists()


def test_segment_takes_a_network_that_is_named(
    own_network: Any, tmp_path: Path, scan_file: Path, with_card: Any
) -> None:
    path = save(tmp_path / "own.safetensors", own_network("own_small_4"), with_card)
    line = ["segment", str(scan_file), "-o", "o.nrrd", "--teacher", str(path), "--device", "cpu"]
    assert main([*line, "--quiet", "--network", "own_small_4:Small"]) == 0
    assert (tmp_path / "o.nrrd").is_file()
