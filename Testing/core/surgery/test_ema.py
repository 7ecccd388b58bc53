from __future__ import annotations

import copy

import pytest
import torch

from gsema_core.surgery import update_teacher, warmed_up_alpha


def parameters_of(module):
    return torch.cat([each.flatten() for each in module.parameters()])


@pytest.fixture
def pair(student):
    teacher = copy.deepcopy(student).requires_grad_(False)
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.add_(1.0)
    return teacher, student


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.9])
def test_update_is_the_moving_average(pair, alpha):
    teacher, student = pair
    before = parameters_of(teacher)
    update_teacher(teacher, student, alpha)
    expected = alpha * before + (1 - alpha) * parameters_of(student).detach()
    torch.testing.assert_close(parameters_of(teacher), expected)


def test_alpha_one_leaves_the_teacher_bit_identical(pair):
    teacher, student = pair
    before = parameters_of(teacher).clone()
    update_teacher(teacher, student, warmed_up_alpha(1.0, updates=0))
    assert torch.equal(parameters_of(teacher), before)


def test_each_weight_may_follow_by_its_own_coefficient(pair):
    teacher, student = pair
    before, theirs = parameters_of(teacher).clone(), parameters_of(student).detach()
    alpha = torch.tensor([1.0, 0.9, 0.0]).repeat(len(before) // 3 + 1)[: len(before)]
    update_teacher(teacher, student, alpha)
    after = parameters_of(teacher)
    torch.testing.assert_close(after, alpha * before + (1 - alpha) * theirs)
    assert torch.equal(after[0::3], before[0::3]) and torch.equal(after[2::3], theirs[2::3])


@pytest.mark.parametrize(
    ("alpha", "updates", "expected"),
    [(0.9, 0, 0.0), (0.9, 1, 0.5), (0.9, 3, 0.75), (0.9, 99, 0.9), (1.0, 0, 1.0), (0.0, 5, 0.0)],
)
def test_warm_up_follows_its_formula(alpha, updates, expected):
    assert warmed_up_alpha(alpha, updates) == pytest.approx(expected)
