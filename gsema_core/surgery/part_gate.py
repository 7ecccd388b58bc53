"""A gate for every part of the network: ours, the paper has one gate for all weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gsema_core.surgery.gate import Decision, Gate
from gsema_core.surgery.weight_parts import WeightParts


@dataclass(frozen=True)
class PartGate:
    """Lets each part of the teacher follow where that part's gradients agree.

    The paper's hypothesis is that gradients which agree tell of features that all domains share.
    One angle over all weights cannot say which of them these are.

    Attributes:
        gate: decides about the whole, which is logged, and has the coefficients.
        parts: what is decided on together.

    Example:
        >>> gate = PartGate(Gate(0.9, 1.0), WeightParts(None))
        >>> gate.decide(torch.tensor([3.0, 1.0]), torch.tensor([1.0, -1.0])).open_weights.tolist()
        [True, False]
    """

    gate: Gate
    parts: WeightParts

    def decide(self, source: Tensor, target: Tensor) -> Decision:
        """Decide from the flat gradients (N,) of both domains."""
        whole = self.gate.decide(source, target)
        if not whole.finite:
            return whole
        if self.gate.similarity == "sign_cosine":
            source, target = torch.sign(source), torch.sign(target)
        return replace(whole, open_weights=self.parts.spread(self.parts.dot(source, target) > 0.0))
