"""What is chosen becomes a configuration."""

from __future__ import annotations

import json

import pytest

from gsema_core.errors import UserError


@pytest.fixture
def choices(training_module, teachers):
    from GSEMATrainingLib.run.TrainingChoices import TrainingChoices

    return TrainingChoices


def test_a_teacher_decides_what_its_network_sees(choices):
    tables = choices(teacher="default", length=5, unit="steps").tables()
    assert tables["data"]["spacing_mm"] == 1.6
    assert tables["data"]["patch"] == [32, 32, 32]
    assert tables["network"]["features"] == 8
    assert tables["run"]["initial_teacher"] == "default"
    assert "initial_teacher" not in choices(teacher="").tables()["run"]


def test_a_teacher_file_does_not_decide_what_code_is_imported(choices, tiny_teacher, tmp_path):
    """The configuration that the panel writes would have the training import it."""
    from safetensors.torch import load_file, save_file

    from gsema_core.teachers import read_card
    from gsema_core.teachers.teacher_file import METADATA_KEY

    card = read_card(tiny_teacher).to_dict()
    card["network"] = {**card["network"], "kind": "evil:Net"}
    path = tmp_path / "evil.safetensors"
    save_file(load_file(tiny_teacher), path, {METADATA_KEY: json.dumps(card)})
    with pytest.raises(UserError, match="network evil:Net, which is code from outside"):
        choices(teacher=str(path)).tables()


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("steps", ("steps", 7)), ("epochs", ("steps", 700)), ("minutes", ("minutes", 7.0))],
)
def test_the_length_has_three_units(choices, unit, expected):
    run = choices(length=7, unit=unit).tables()["run"]
    assert run[expected[0]] == expected[1]


def test_senseless_choices_are_explained(choices):
    for bad, reason in (
        ({"unit": "years"}, "steps, epochs or minutes"),
        ({"name": "a/b"}, "not plain"),
        ({"teacher": "nobody"}, "no model named nobody"),
        ({"preset": "magic"}, "preset 'magic' is unknown: use one of"),
        ({"settings": {"data": {"patch": [70, 70, 70]}}}, "does not fit the network"),
        ({"settings": {"run": {"seed": "x"}}}, "give a whole number"),
    ):
        with pytest.raises(UserError, match=reason):
            choices(**bad).tables()


def test_the_written_file_is_read_by_the_core(choices, tmp_path):
    from gsema_core.training.config import TrainingConfig

    folder = tmp_path / "läuft 患者"
    folder.mkdir()
    settings = {
        "data": {"description": 'so "called" \\ scans\n\x7f', "aneurysm_share": 0.5},
        "optimization": {"learning_rate": 1e-05, "class_weights": [0.1, 1.0, 2.0]},
        "method": {"transform": ["gin", "noise"], "alpha_warmup": False},
    }
    chosen = choices(preset="code", name="mine", replayShare=0.25, settings=settings)
    config = TrainingConfig.from_toml(chosen.write(folder, chosen.tables()))
    assert config.preset_name == "code"
    assert config.data.description == settings["data"]["description"]
    assert config.data.datalist == folder / "datalist.json"
    assert config.run.output == folder
    assert config.data.replay_share == 0.25
    assert config.optimization.learning_rate == 1e-05
    assert config.optimization.class_weights == (0.1, 1.0, 2.0)
    assert config.method.transform == ("gin", "noise") and not config.method.alpha_warmup
