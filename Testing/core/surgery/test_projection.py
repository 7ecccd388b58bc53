from __future__ import annotations

import pytest
import torch

from gsema_core.surgery import WeightParts, conflict_shares, project_conflicts_


def projected(source, target, sizes):
    parts, pair = WeightParts(sizes), (torch.tensor(source), torch.tensor(target))
    project_conflicts_(*pair, conflict_shares(*pair, parts), parts)
    return [each.tolist() for each in pair]


def test_each_loses_its_component_along_the_other():
    """(1, 0) and (-1, 1): 1/2 of the second leaves (1/2, 1/2), 1 of the first leaves (0, 1)."""
    assert projected([1.0, 0.0], [-1.0, 1.0], (2,)) == [[0.5, 0.5], [0.0, 1.0]]


def test_agreeing_gradients_stay_to_the_bit():
    source, target = [0.1, 0.7], [0.3, -0.04]
    assert projected(source, target, (2,)) == [
        torch.tensor(source).tolist(), torch.tensor(target).tolist()
    ]  # fmt: skip


def test_layers_are_projected_apart():
    """The first agrees, the second conflicts, though both together agree."""
    got = projected([3.0, 1.0, 0.0], [3.0, -1.0, 1.0], (1, 2))
    assert got == [[3.0, 0.5, 0.5], [3.0, 0.0, 1.0]]


def test_weight_by_weight_only_those_with_one_sign_move():
    assert projected([2.0, 0.1, 0.0], [1.0, -0.3, 5.0], None) == [[2.0, 0.0, 0.0], [1.0, 0.0, 5.0]]


@pytest.mark.parametrize("sizes", [(1000,), (300, 700)])
def test_what_is_left_does_not_conflict_with_the_other_as_it_was(sizes):
    generator, parts = torch.Generator().manual_seed(0), WeightParts(sizes)
    source = torch.randn(1000, generator=generator)
    target = torch.randn(1000, generator=generator) - 0.5 * source
    pair = source.clone(), target.clone()
    project_conflicts_(*pair, conflict_shares(source, target, parts), parts)
    for mine, other in zip(pair, (target, source), strict=True):
        torch.testing.assert_close(
            parts.dot(mine, other), torch.zeros(len(sizes)), atol=1e-3, rtol=0
        )
