from __future__ import annotations

import torch
from torch import nn

from gsema_core.surgery import GradientRows


def backward(rows: GradientRows, row: int, parameter: nn.Parameter, factor: float) -> None:
    with rows.row(row):
        (factor * parameter).sum().backward()


def test_rows_do_not_alias():
    """A gradient kept as a view of .grad would become the next one: the cosine would be 1."""
    parameter = nn.Parameter(torch.ones(2, 3))
    rows = GradientRows([parameter])
    backward(rows, 0, parameter, 2.0)
    backward(rows, 1, parameter, -3.0)
    backward(rows, 2, parameter, 5.0)
    assert rows.source.tolist() == [2.0] * 6
    assert rows.target.tolist() == [-3.0] * 6
    assert rows.contrast.tolist() == [5.0] * 6
    assert parameter.grad is None


def test_combine_is_equation_6():
    parameter = nn.Parameter(torch.ones(4))
    rows = GradientRows([parameter])
    for row, factor in enumerate((2.0, 4.0, 8.0)):
        backward(rows, row, parameter, factor)
    rows.combine(supervised=0.25, contrastive=0.5)
    assert parameter.grad.tolist() == [0.25 * (2 + 4) + 0.5 * 8] * 4


def test_zero_forgets():
    parameter = nn.Parameter(torch.ones(4))
    rows = GradientRows([parameter])
    backward(rows, 1, parameter, 1.0)
    rows.zero_()
    assert not rows.flat.any()


def test_several_parameters_keep_their_places():
    first, second = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3, 1))
    rows = GradientRows([first, second])
    with rows.row(0):
        (2 * first.sum() + 7 * second.sum()).backward()
    assert rows.source.tolist() == [2, 2, 7, 7, 7]
