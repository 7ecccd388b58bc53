from __future__ import annotations

import math

import pytest
import torch

from gsema_core.surgery import Gate, PartGate, WeightParts

SOURCE, TARGET = torch.tensor([1.0, 2.0, -1.0, 0.0]), torch.tensor([1.0, -1.0, -3.0, 5.0])


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((4,), [True] * 4),
        ((2, 2), [False, False, True, True]),  # 1 - 2 and 3 + 0
        (None, [True, False, True, False]),  # of no gradient there is no agreement
    ],
)
def test_each_part_decides_by_its_own_angle(sizes, expected):
    decision = PartGate(Gate(0.9, 1.0), WeightParts(sizes)).decide(SOURCE, TARGET)
    assert decision.open_weights.tolist() == expected
    whole = Gate(0.9, 1.0).decide(SOURCE, TARGET)
    assert (decision.similarity, decision.alpha) == (whole.similarity, whole.alpha)


def test_a_layers_components_have_one_vote_each_where_the_gates_do():
    gate = PartGate(Gate(0.9, 1.0, "sign_cosine"), WeightParts((3,)))
    source, target = torch.tensor([9.0, 1.0, 1.0]), torch.tensor([9.0, -1.0, -1.0])
    assert not gate.decide(source, target).open_weights.any()


def test_a_gradient_that_is_not_finite_opens_nothing():
    decision = PartGate(Gate(0.9, 0.9), WeightParts(None)).decide(SOURCE, math.nan * TARGET)
    assert not decision.finite and decision.open_weights is None
