"""Boundary-aware contrastive learning (equations 3 to 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gsema_core.errors import UserError
from gsema_core.losses.boundary import CUTOFF, boundary_map, highpass_mask
from gsema_core.losses.full_precision import full_precision, no_autocast


def contrastive_loss(
    zs: Tensor, zt: Tensor, zs_teacher: Tensor, zt_teacher: Tensor, temperature: float = 1.0
) -> Tensor:
    """Return ``L_c`` of equation 5 over the cosines of equation 4, the mean over the samples.

    One instance seen by student and teacher is a positive pair (2 of them); source and target
    are negative pairs, within and across the networks (4 of them). A cosine compares whole
    latents of one sample. Detach the teacher's latents to train the student only.

    Args:
        zs: student's latent of the source patch, ``(B, C, D, H, W)``.
        zt: student's latent of the target patch, same shape.
        zs_teacher: teacher's latent of the source patch, same shape.
        zt_teacher: teacher's latent of the target patch, same shape.
        temperature: divides the cosines; 1 is equation 5 as printed.

    Returns:
        A scalar, float32 (float64 for float64 latents).

    Raises:
        ValueError: the shapes differ.
    """
    if not zs.shape == zt.shape == zs_teacher.shape == zt_teacher.shape:
        shapes = [tuple(z.shape) for z in (zs, zt, zs_teacher, zt_teacher)]
        raise ValueError(f"The four latents must have one shape, got {shapes}.")
    with no_autocast(zs):
        s, t, s_teacher, t_teacher = (
            full_precision(z).flatten(1) for z in (zs, zt, zs_teacher, zt_teacher)
        )
        positives = _cosines((s, s_teacher), (t, t_teacher))
        negatives = _cosines((s, t), (s_teacher, t_teacher), (s, t_teacher), (s_teacher, t))
        pairs = torch.cat([positives, negatives])
        per_sample = (pairs / temperature).logsumexp(0) - (positives / temperature).logsumexp(0)
        return per_sample.mean()


class BoundaryAwareContrastiveLoss(nn.Module):
    """BACL: ``L_c`` of the latents (volume) plus ``L_c`` of their boundary maps.

    Args:
        volume: include the volume term ``L_c^z``.
        boundary: include the boundary term ``L_c^b``.
        cutoff: of the boundary map's high-pass, see `highpass_mask`.
        temperature: see `contrastive_loss`. The paper has none, which is 1.
        magnitude: compare magnitudes of the boundary maps, see `boundary_map`.

    Raises:
        UserError: the temperature is not positive, or the cutoff is out of its range.
    """

    def __init__(
        self,
        volume: bool = True,
        boundary: bool = True,
        cutoff: float = CUTOFF,
        temperature: float = 1.0,
        magnitude: bool = False,
    ) -> None:
        super().__init__()
        if not temperature > 0.0:
            raise UserError(
                f"The contrastive temperature is {temperature}, expected a positive number: "
                "choose for example 1."
            )
        highpass_mask((1,), cutoff)  # checks the cutoff before the first step does
        self.volume = volume
        self.boundary = boundary
        self.cutoff = cutoff
        self.temperature = temperature
        self.magnitude = magnitude

    def forward(self, zs: Tensor, zt: Tensor, zs_teacher: Tensor, zt_teacher: Tensor) -> Tensor:
        """Return the sum of what is on; with both off a zero that has a gradient (of zero)."""
        latents = (zs, zt, zs_teacher, zt_teacher)
        loss = full_precision(zs).sum() * 0.0
        if self.volume:
            loss = loss + contrastive_loss(*latents, self.temperature)
        if self.boundary:
            bs, bt, bs_teacher, bt_teacher = (
                boundary_map(z, self.cutoff, self.magnitude) for z in latents
            )
            loss = loss + contrastive_loss(bs, bt, bs_teacher, bt_teacher, self.temperature)
        return loss


def _cosines(*pairs: tuple[Tensor, Tensor]) -> Tensor:
    """Return the cosines ``(P, B)`` of ``P`` pairs of ``(B, N)`` (equation 4)."""
    return torch.stack([nn.functional.cosine_similarity(u, v, dim=1) for u, v in pairs])
