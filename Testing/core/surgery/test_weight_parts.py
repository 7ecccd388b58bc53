from __future__ import annotations

import pytest
import torch

from gsema_core.surgery import WeightParts


def test_layers_are_the_modules_with_weights_of_their_own(student):
    parts = WeightParts.of("layer", student)
    own = {name: list(each.parameters(recurse=False)) for name, each in student.named_modules()}
    expected = {name: sum(p.numel() for p in each) for name, each in own.items() if each}
    assert dict(zip(parts.names, parts.sizes, strict=True)) == expected
    assert sum(parts.sizes) == sum(p.numel() for p in student.parameters())


def test_products_and_values_of_parts():
    first, second = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 5.0, -6.0])
    for parts, dots in ((WeightParts((3,)), [-4]), (WeightParts((2, 1)), [14, -18]),
                        (WeightParts(None), [4, 10, -18])):  # fmt: skip
        assert parts.dot(first, second).tolist() == dots
        signs = parts.spread(torch.sign(parts.dot(first, second)))
        assert signs.shape == first.shape
    assert WeightParts((2, 1)).spread(torch.tensor([True, False])).tolist() == [True, True, False]


def test_an_unknown_kind_is_refused(student):
    with pytest.raises(ValueError, match="'block'"):
        WeightParts.of("block", student)
