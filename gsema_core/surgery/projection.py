"""Projection of conflicting gradients in the student's step: not the paper's, see its reference 9.

Yu et al., Gradient Surgery for Multi-Task Learning (PCGrad), NeurIPS 2020: a gradient that
conflicts with another loses its component along it. Weight by weight that component is all of it,
so that only weights on whose sign both domains agree move: Agr-Sum of Mansilla et al., Domain
Generalization via Gradient Surgery, ICCV 2021, the paper's reference 10.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gsema_core.surgery.weight_parts import WeightParts


def conflict_shares(source: Tensor, target: Tensor, parts: WeightParts) -> Tensor:
    """(2, P) how much of the other's gradient each loses: ``<g_s, g_t>`` over its squared length.

    First what the source's loses of the target's, then the other way round; 0 for parts in which
    the two do not conflict.
    """
    dots = parts.dot(source, target)
    shares = torch.stack([dots / parts.dot(each, each) for each in (target, source)])
    return torch.where(dots < 0.0, shares, torch.zeros_like(shares))


def project_conflicts_(source: Tensor, target: Tensor, shares: Tensor, parts: WeightParts) -> None:
    """Take from both flat gradients (N,) what conflicts, in place.

    Args:
        source: the gradient as it was when ``shares`` was measured.
        target: likewise, of the other domain.
        shares: of `conflict_shares`.
        parts: the same.
    """
    if parts.sizes is None:  # exactly zero, where a difference of products would be rounded
        conflicting = shares[0] != 0.0
        source.masked_fill_(conflicting, 0.0)
        target.masked_fill_(conflicting, 0.0)
        return
    before = source.clone()
    source.sub_(parts.spread(shares[0]) * target)
    target.sub_(parts.spread(shares[1]) * before)
