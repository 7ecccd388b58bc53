from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import gsema_core
from gsema_core.errors import UserError
from gsema_core.training import PRESETS, TrainingConfig
from gsema_core.training.config_sections import MethodConfig


@pytest.mark.parametrize("name", PRESETS)
def test_presets_build(name):
    config = TrainingConfig.preset(name, datalist="a.json", output="b")
    assert config.preset_name == name


@pytest.mark.parametrize(
    ("name", "aligned", "conflict"),
    [
        ("paper", 0.9, 1.0),
        ("paper_soft", 0.9, 0.9999),
        ("code", 0.9, 0.999),
        ("mean_teacher", 0.999, 0.999),
        ("algorithm1", 1.0, 0.9),
        ("no_ema", 0.0, 0.0),
    ],
)
def test_presets_have_the_stated_coefficients(name, aligned, conflict):
    method = TrainingConfig.preset(name, datalist="a", output="b").method
    assert (method.alpha_aligned, method.alpha_conflict) == (aligned, conflict)


def test_code_preset_is_the_published_training():
    config = TrainingConfig.preset("code", datalist="a", output="b")
    method, optimization = config.method, config.optimization
    assert (method.similarity, method.transform) == ("sign_cosine", ("gin",))
    assert (method.volume_contrast, method.boundary_contrast) == (False, True)
    assert (optimization.optimizer, optimization.learning_rate) == ("adam", 1e-4)
    assert (optimization.schedule, optimization.warmup_steps) == ("constant", 0)


def test_a_section_overrides_the_preset():
    config = TrainingConfig.preset("code", datalist="a", output="b", method={"alpha_aligned": 0.99})
    assert config.method.alpha_aligned == 0.99
    assert config.method.similarity == "sign_cosine"


def test_toml_file_with_paths_beside_it(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(
        'preset = "paper_soft"\n[data]\ndatalist = "list.json"\npatch = [64, 64, 64]\n'
        '[run]\noutput = "out"\nsteps = 7\n'
    )
    config = TrainingConfig.from_toml(path)
    assert config.data.datalist == tmp_path / "list.json"
    assert config.run.output == tmp_path / "out"
    assert (config.run.steps, config.data.patch) == (7, (64, 64, 64))
    assert config.method.alpha_conflict == 0.9999


def test_without_a_name_the_settings_are_the_preset_default():
    """And not the paper's, whose learning rate is another."""
    assert TrainingConfig() == TrainingConfig.from_dict({"preset": "default"})
    assert TrainingConfig().preset_name == "default"
    assert (
        TrainingConfig().optimization != TrainingConfig.from_dict({"preset": "paper"}).optimization
    )


def test_a_file_without_a_preset_is_the_papers():
    assert TrainingConfig.from_dict({}) == TrainingConfig.from_dict({"preset": "paper"})


def test_round_trip():
    config = TrainingConfig.preset("code", datalist="a", output="b", data={"centers": ["A"]})
    assert TrainingConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("tables", "named"),
    [
        ({"preset": "best"}, "'best'"),
        ({"preset": ["paper"]}, "paper"),
        ({"extra": {}}, "'extra'"),
        ({"run": 3}, "settings in .run. are 3"),
        ({"run": {"stepz": 3}}, "'stepz' in .run."),
        ({"run": {"steps": "many"}}, "'many'"),
        ({"run": {"steps": True}}, "True"),
        ({"run": {"steps": 0}}, "steps in .run. is 0"),
        ({"run": {"patience": -1}}, "patience in .run. is -1"),
        ({"run": {"minutes": float("nan")}}, "minutes in .run. is nan"),
        ({"run": {"precision": "int8"}}, "'int8': give one of auto, bf16, fp16, fp32"),
        ({"data": {"replay_share": 1.5}}, "replay_share in .data. is 1.5"),
        ({"data": {"replay_cases": 0}}, "replay_cases in .data. is 0"),
        ({"run": {"seed": -1}}, "seed in .run. is -1"),
        ({"run": {"seed": 2**64}}, "seed in .run."),
        ({"run": {"name": "../a"}}, "name in .run. is '../a'"),
        ({"run": {"license": "x" * 201}}, "at most 200 characters"),
        ({"method": {"alpha_aligned": 1.5}}, "1.5"),
        ({"method": {"similarity": "dot"}}, "'dot'"),
        ({"data": {"patch": [96, 96]}}, "3 whole numbers"),
        ({"data": {"patch": [96, 96, 90]}}, "multiple of 16"),
        ({"data": {"patch": [32, 32, 32]}}, "from 64"),
        ({"optimization": {"class_weights": [-1.0, 1.0, 1.0]}}, "numbers from 0"),
        ({"optimization": {"class_weights": [1.0]}}, "1 values"),
        ({"optimization": {"class_weights": [-1.0, 1.0, 1.0]}}, r"-1\.0"),
        ({"network": {"kind": "vgg"}}, "'vgg'"),
    ],
)
def test_bad_settings_are_named(tables, named):
    with pytest.raises(UserError, match=named):
        TrainingConfig.from_dict(tables)


def test_unreadable_toml_is_named(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("preset = ")
    with pytest.raises(UserError, match=r"config\.toml cannot be read"):
        TrainingConfig.from_toml(path)
    with pytest.raises(UserError, match="does not exist"):
        TrainingConfig.from_toml(Path("nowhere.toml"))


def test_a_file_must_say_what_to_read_and_where_to_write(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[run]\noutput = "out"\n')
    with pytest.raises(UserError, match=r"config\.toml does not name the datalist"):
        TrainingConfig.from_toml(path)
    path.write_text('[data]\ndatalist = "list.json"\n')
    with pytest.raises(UserError, match=r"config\.toml does not name the output"):
        TrainingConfig.from_toml(path)


def test_configurations_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MethodConfig().alpha_aligned = 0.5


def test_runs_end_and_replay_nothing_by_themselves_unless_asked():
    config = TrainingConfig.preset("paper", datalist="a", output="b")
    assert (config.run.minutes, config.run.patience, config.data.replay_share) == (0, 0, 0)


@pytest.mark.parametrize(("stage", "length"), [(1, ("steps", 8100)), (2, ("minutes", 95))])
def test_the_bundled_teachers_recipes_still_read(stage, length):
    folder = Path(gsema_core.__file__).parent / "teachers" / "default"
    run = TrainingConfig.from_toml(folder / f"recipe_{stage}.toml").run
    assert getattr(run, length[0]) == length[1]


def test_paper_has_the_papers_learning_rate():
    optimization = TrainingConfig.preset("paper", datalist="a", output="b").optimization
    assert (optimization.learning_rate, optimization.schedule) == (1e-3, "step")


@pytest.mark.parametrize(
    ("name", "value"), [("gate_unit", "layer"), ("conflict_projection", "weight")]
)
def test_parts_cannot_decide_by_gradients_that_the_decoders_gate_leaves_out(name, value):
    with pytest.raises(UserError, match=rf"{name} in \[method\] is {value}, which needs"):
        TrainingConfig.from_dict({"method": {"gate_scope": "decoder", name: value}})
