"""What each row changes of the shared settings."""

from __future__ import annotations

import dataclasses

import pytest

from gsema_core.benchmark.rows import ROWS
from gsema_core.training import PRESETS, TrainingConfig
from gsema_core.training.final_teacher import changes

BASE = TrainingConfig.from_dict({"method": {"alpha_aligned": 0.99, "alpha_conflict": 1.0}})


@pytest.mark.parametrize(
    ("row", "alphas", "contrasts"),
    [
        ("no_ema", (0.0, 0.0), (False, False)),
        ("ema", (0.99, 0.99), (False, False)),
        ("gs_ema", (0.99, 1.0), (False, False)),
        ("gs_ema_bacl_v", (0.99, 1.0), (True, False)),
        ("gs_ema_bacl_b", (0.99, 1.0), (False, True)),
        ("gs_ema_bacl", (0.99, 1.0), (True, True)),
        ("vaseg", (0.0, 0.0), (False, False)),
        ("feddg", (0.0, 0.0), (False, False)),
        ("cmdg", (0.0, 0.0), (False, False)),
    ],
)
def test_every_row_of_the_papers_table(row, alphas, contrasts):
    method = ROWS[row].config(BASE).method
    assert (method.alpha_aligned, method.alpha_conflict) == alphas
    assert (method.volume_contrast, method.boundary_contrast) == contrasts


def test_rivals_have_their_own_transforms_and_losses():
    assert ROWS["vaseg"].config(BASE).method.transform == ("none",)
    assert ROWS["vaseg"].config(BASE).optimization.class_weights == (0.2, 0.2, 0.8)
    assert ROWS["feddg"].config(BASE).method.transform == ("amplitude_mix",)
    assert ROWS["cmdg"].config(BASE).method.transform == ("gin_ipa",)
    assert ROWS["cmdg"].config(BASE).method.consistency_weight > 0


@pytest.mark.parametrize("row", [name for name, row in ROWS.items() if not row.external])
def test_rows_share_everything_else(row):
    config = ROWS[row].config(BASE)
    assert config.data == BASE.data and config.network == BASE.network and config.run == BASE.run
    assert config.optimization.learning_rate == BASE.optimization.learning_rate
    assert config.optimization.schedule == BASE.optimization.schedule


@pytest.mark.parametrize("name", sorted(set(ROWS) & set(PRESETS)))
def test_a_row_and_a_preset_of_one_name_are_one_method(name):
    config = ROWS[name].config(TrainingConfig())
    preset = TrainingConfig.from_dict({"preset": name})
    assert dataclasses.asdict(config.method) == dataclasses.asdict(preset.method)
    assert config.optimization.class_weights == preset.optimization.class_weights
    assert config.preset_name == name
    assert changes(config) == {}


def test_rows_without_a_preset_say_what_they_change_of_the_shared_one():
    assert changes(ROWS["ema"].config(TrainingConfig())) == {
        "method.alpha_conflict": 0.9,
        "method.conflict_warmup": True,
        "method.volume_contrast": False,
        "method.boundary_contrast": False,
    }


def test_rivals_take_nothing_of_a_method_that_is_shared():
    shared = {"transform": ["gin_ipa"], "consistency_weight": 5.0}
    base = TrainingConfig.from_dict({"method": shared})
    assert ROWS["vaseg"].config(base).method.consistency_weight == 0.0
    assert ROWS["cmdg"].config(base).method.consistency_weight == 10.0
