"""What each row changes of the shared settings."""

from __future__ import annotations

import pytest

from gsema_core.benchmark.rows import ROWS, check_rows
from gsema_core.errors import UserError
from gsema_core.training import TrainingConfig

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


def test_a_presets_name_is_a_rivals_row():
    for name in ("vaseg", "feddg", "cmdg"):
        preset = TrainingConfig.from_dict({"preset": name})
        assert ROWS[name].config(TrainingConfig.from_dict({})).method == preset.method


def test_unknown_row_is_refused_by_name():
    with pytest.raises(UserError, match="'gs-ema' is unknown: use no_ema, ema, gs_ema"):
        check_rows(["ema", "gs-ema"])
