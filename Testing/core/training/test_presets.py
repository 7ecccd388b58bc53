"""Presets from outside, presets in files, and options of parts."""

from __future__ import annotations

import datetime
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from gsema_core.errors import UserError
from gsema_core.training import TrainingConfig
from gsema_core.training.config import preset_values
from gsema_core.training.presets import merged, overridden, with_preset_file

GENTLE = """
    GENTLE = {
        "method": {"alpha_aligned": 0.5, "transform": ["paper", "noise"]},
        "transforms": {"paper": {"strength": 0.5}, "noise": {"max_sigma": 0.1}},
    }
"""


def test_a_preset_from_outside(own_module: Any) -> None:
    own_module("own_gentle", GENTLE)
    config = TrainingConfig.from_dict(
        {"preset": "own_gentle:GENTLE", "transforms": {"paper": {"probability": 0.9}}}
    )
    assert config.preset_name == "own_gentle:GENTLE"
    assert config.method.alpha_aligned == 0.5
    assert config.transforms["paper"] == {"strength": 0.5, "probability": 0.9}
    assert TrainingConfig.from_dict(config.to_dict()) == config


def test_its_options_go_with_the_transform_that_is_replaced(own_module: Any) -> None:
    own_module("own_gentle_2", GENTLE)
    config = TrainingConfig.from_dict(
        {"preset": "own_gentle_2:GENTLE", "method": {"transform": ["noise"]}}
    )
    assert config.transforms == {"noise": {"max_sigma": 0.1}}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("P = 3", "The preset own_p:P is 3: it must be a mapping of sections"),
        ("P = {'method': 3}", "it must be a mapping of sections"),
        ("P = {'metod': {}}", "Unknown setting 'metod' of the training"),
        ("P = {'method': {'alpha': 1}}", r"Unknown setting 'alpha' in \[method\]"),
        ("Q = {}", r"own_p\.py has no P"),
    ],
)
def test_what_is_no_preset_is_told(own_module: Any, source: str, told: str) -> None:
    own_module("own_p", source)
    with pytest.raises(UserError, match=told):
        TrainingConfig.from_dict({"preset": "own_p:P"})


@pytest.mark.parametrize("name", ["papr", "", 3, None, ["paper"]])
def test_an_unknown_preset_is_told(name: Any) -> None:
    with pytest.raises(UserError, match=r"preset"):
        TrainingConfig.from_dict({"preset": name})


def config_file(folder: Path, head: str = "", tail: str = "") -> Path:
    path = folder / "config.toml"
    path.write_text(
        f'{head}\n[data]\ndatalist = "a.json"\n[run]\noutput = "run"\nsteps = 7\n{tail}'
    )
    return path


def test_a_preset_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'preset = "mean_teacher"\n'
        "[run]\nsteps = 3\nbatch_size = 2\n"
        "[transforms.paper]\nstrength = 2"
    )
    config = TrainingConfig.from_toml(config_file(tmp_path, 'preset = "mine.toml"'))
    assert (config.run.steps, config.run.batch_size) == (7, 2)
    assert config.method.alpha_conflict == 0.999
    assert config.transforms == {"paper": {"strength": 2}}
    assert config.preset_name == "mean_teacher"  # a card holds no path
    assert TrainingConfig.from_dict(config.to_dict()) == config


def test_a_preset_file_names_no_other(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('preset = "mine.toml"')
    with pytest.raises(UserError, match=r"names the file mine\.toml: name a preset there"):
        TrainingConfig.from_toml(config_file(tmp_path, 'preset = "mine.toml"'))
    with pytest.raises(UserError, match=r"nowhere\.toml does not exist"):
        with_preset_file({"preset": "nowhere.toml"}, tmp_path)


def test_modules_beside_the_file_can_be_imported(own_module: Any, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    own_module("elsewhere/own_beside", GENTLE)
    before = list(sys.path)
    assert TrainingConfig.from_toml(config_file(folder)).preset_name == "paper"
    assert sys.path == before, "a configuration that names nothing adds no folder"
    config = TrainingConfig.from_toml(config_file(folder, 'preset = "own_beside:GENTLE"'))
    assert config.method.alpha_aligned == 0.5
    assert sys.path[-1] == str(folder) or str(folder) in sys.path[len(before) :]


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"transforms": {"papr": {"strength": 2}}}, r"\[transforms.papr\] is of none of the tran"),
        ({"losses": {"a:B": {"gamma": 2}}}, r"\[losses.a:B\] .* use one of dice_ce, or leave it"),
        ({"transforms": {"paper": 2}}, r"paper in \[transforms\] is 2: give a table of options"),
        ({"transforms": 2}, "Setting transforms of the training is 2: give a table"),
        ({"transforms": {"paper": {"strength": datetime.date(2020, 1, 1)}}}, "give a table"),
        ({"transforms": {"paper": {"strength": float("inf")}}}, "give a table"),
        ({"method": {"segmentation_loss": ""}}, "segmentation_loss"),
        ({"network": {"kind": "a b:C"}}, "Setting kind of the network"),
    ],
)
def test_options_of_what_is_not_used_are_refused(tables: Any, told: str) -> None:
    with pytest.raises(UserError, match=told):
        TrainingConfig.from_dict(tables)


def test_merging_goes_into_tables_and_changes_neither() -> None:
    below = {"a": {"b": {"c": 1, "d": 2}, "e": 3}, "f": 4}
    above = {"a": {"b": {"c": 5}}, "f": {"g": 6}}
    assert merged(below, above) == {"a": {"b": {"c": 5, "d": 2}, "e": 3}, "f": {"g": 6}}
    assert below["a"]["b"] == {"c": 1, "d": 2}
    losses = {"losses": {"a:B": {"gamma": 2}}, "method": {"segmentation_loss": "a:B"}}
    assert overridden(losses, {"method": {"segmentation_loss": "dice_ce"}})["losses"] == {}
    assert overridden(losses, {})["losses"] == {"a:B": {"gamma": 2}}


def test_the_values_of_a_preset_need_not_fit_together(own_module: Any) -> None:
    """It may count on a patch that the configuration sets."""
    own_module("own_deep", "DEEP = {'network': {'stages': 5}, 'method': {'transform': ['gin']}}")
    values = preset_values("own_deep:DEEP")
    assert values["network"]["stages"] == 5 and values["method"]["transform"] == ["gin"]
    assert set(values) == {"data", "network", "method", "optimization", "run"}


def test_a_path_of_this_system_is_no_part() -> None:
    with pytest.raises(UserError, match="does not exist"):
        TrainingConfig.from_dict({"preset": f"{os.sep}nowhere{os.sep}mine.toml"})
