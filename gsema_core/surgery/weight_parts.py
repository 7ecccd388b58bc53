"""The weights that are decided on together: all, those of a layer, or each alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor, nn

KINDS = ("network", "layer", "weight")


@dataclass(frozen=True)
class WeightParts:
    """How the flat weights (N,) of a network are cut into P parts.

    Attributes:
        sizes: weights of each part, in the order of ``parameters()``; None where every weight is
            a part of its own.
        names: the parts' names, where they are layers.

    Example:
        >>> parts = WeightParts((2, 1))
        >>> parts.dot(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 1.0, -1.0])).tolist()
        [3.0, -3.0]
        >>> parts.spread(torch.tensor([0.5, 1.0])).tolist()
        [0.5, 0.5, 1.0]
    """

    sizes: Sequence[int] | None
    names: Sequence[str] = ()

    @classmethod
    def of(cls, kind: str, network: nn.Module) -> WeightParts:
        """Cut a network: ``network`` is one part, ``layer`` each module with weights of its own."""
        if kind not in KINDS:
            raise ValueError(f"Unknown kind of part {kind!r}: use one of {', '.join(KINDS)}.")
        if kind == "weight":
            return cls(None)
        counts = [(name, each.numel()) for name, each in network.named_parameters()]
        if kind == "network":
            return cls((sum(count for _, count in counts),))
        layers = [
            (layer, sum(count for _, count in some))
            for layer, some in groupby(counts, key=lambda one: one[0].rpartition(".")[0])
        ]
        return cls(tuple(count for _, count in layers), tuple(name for name, _ in layers))

    def dot(self, first: Tensor, second: Tensor) -> Tensor:
        """(P,) inner products of two flat gradients (N,)."""
        if self.sizes is None:
            return first * second
        pairs = zip(first.split(list(self.sizes)), second.split(list(self.sizes)), strict=True)
        return torch.stack([torch.dot(a, b) for a, b in pairs])

    def spread(self, values: Tensor) -> Tensor:
        """(N,) every weight's value, from one (P,) for each part."""
        if self.sizes is None:
            return values
        return values.repeat_interleave(torch.tensor(self.sizes, device=values.device))
