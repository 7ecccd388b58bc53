from __future__ import annotations

import pytest

from gsema_core.training.config_sections import OptimizationConfig
from gsema_core.training.optimization import learning_rate_factor


def factors(schedule: str, *steps: int) -> list[float]:
    config = OptimizationConfig(schedule=schedule, warmup_steps=0)
    return [learning_rate_factor(config, step, 1000) for step in steps]


def test_cosine_falls_from_one_to_zero():
    assert factors("cosine", 0, 500, 1000) == pytest.approx([1.0, 0.5, 0.0])


def test_step_is_the_papers_schedule():
    """Times 0.1 after every ten of a hundred epochs."""
    assert factors("step", 0, 99, 100, 250, 999) == pytest.approx([1, 1, 0.1, 0.01, 1e-9])


def test_constant_stays():
    assert factors("constant", 0, 999) == [1.0, 1.0]


def test_late_fall_is_constant_and_then_falls_straight_to_zero():
    config = OptimizationConfig(schedule="late_fall", decay_share=0.25, warmup_steps=0)
    steps = (0, 750, 875, 1000)
    assert [learning_rate_factor(config, step, 1000) for step in steps] == [1.0, 1.0, 0.5, 0.0]
    assert learning_rate_factor(config, 0, 1000, time_spent=0.875) == 0.5


def test_warm_up_is_linear_and_never_zero():
    config = OptimizationConfig(schedule="constant", warmup_steps=3)
    steps = [learning_rate_factor(config, step, 1000) for step in range(5)]
    assert steps == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])


def test_a_run_that_time_will_end_goes_by_its_time():
    config = OptimizationConfig(schedule="cosine", warmup_steps=0)
    assert learning_rate_factor(config, 10, 1000, time_spent=0.5) == pytest.approx(0.5)
    assert learning_rate_factor(config, 500, 1000, time_spent=0.1) == pytest.approx(0.5)
    assert learning_rate_factor(config, 10, 1000, time_spent=1.2) == 0.0
