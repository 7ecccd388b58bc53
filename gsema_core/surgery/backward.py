"""The two domains' gradients and the contrastive one, exactly, at three quarters of the naive cost.

Naive: four forwards, a backward of the total loss and one more for g_s and for g_t. Here the
teacher only encodes, and every graph is walked no more often than three separate gradients need:
decoders once a stream, the encoder once a stream and once for the contrastive part of both
(measured in docs/method.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gsema_core.networks.network import Encoded, SegmentationNetwork
from gsema_core.surgery.gradients import CONTRAST, SOURCE, TARGET, GradientRows

SegmentationLoss = Callable[[Tensor, Tensor], Tensor]
ContrastiveLoss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class Losses(NamedTuple):
    """Detached scalars of one step: eq. 2's two losses and the BACL of eq. 5 (zero when off)."""

    source: Tensor
    target: Tensor
    contrast: Tensor


def split_backward(
    rows: GradientRows,
    student: SegmentationNetwork,
    teacher: SegmentationNetwork | None,
    source: tuple[Tensor, Tensor],
    target: tuple[Tensor, Tensor],
    segmentation_loss: SegmentationLoss,
    contrastive_loss: ContrastiveLoss | None = None,
) -> Losses:
    """Add the gradients of one batch to ``rows``; no weight changes.

    Peak memory is two encoder graphs and one decoder graph. Call it inside the autocast context
    of the step; the losses themselves run in float32.

    Args:
        rows: where the three gradients accumulate.
        student: the network that learns.
        teacher: encodes both patches without gradient; needed only with ``contrastive_loss``.
        source: image and labels of the source patches, (B, 1, D, H, W) both.
        target: the transformed patches, likewise.
        segmentation_loss: of logits (B, 3, D, H, W) and labels; eq. 1.
        contrastive_loss: of z_s, z_t, z'_s, z'_t; eq. 3-5. None: the row stays as it is.
    """
    encoded = student.encode(source[0]), student.encode(target[0])
    with rows.row(SOURCE):
        loss_source = _walk(student, encoded[0], source[1], segmentation_loss)
    with rows.row(TARGET):
        loss_target = _walk(student, encoded[1], target[1], segmentation_loss)
    if contrastive_loss is None:
        return Losses(loss_source, loss_target, loss_source.new_zeros(()))
    if teacher is None:
        raise ValueError("The contrastive loss compares student and teacher: pass the teacher.")
    with torch.no_grad():
        references = [teacher.encode(image).latent for image in (source[0], target[0])]
    latents = [stream.latent for stream in encoded]
    leaves = [latent.detach().requires_grad_() for latent in latents]
    loss_contrast = contrastive_loss(*leaves, *references)
    with rows.row(CONTRAST):
        loss_contrast.backward()
        torch.autograd.backward(latents, _gradients(leaves))
    return Losses(loss_source, loss_target, loss_contrast.detach())


def _walk(
    student: SegmentationNetwork, encoded: Encoded, labels: Tensor, loss: SegmentationLoss
) -> Tensor:
    """Decode from leaves, free the decoder's graph, then walk the encoder once."""
    maps = [encoded.latent, *encoded.skips]
    leaves = [each.detach().requires_grad_(each.requires_grad) for each in maps]
    value = loss(student.decode(Encoded(leaves[0], tuple(leaves[1:]))), labels)
    value.backward()
    live = [index for index, each in enumerate(maps) if each.requires_grad]
    torch.autograd.backward(
        [maps[index] for index in live],
        _gradients([leaves[index] for index in live]),
        retain_graph=True,  # the contrastive loss walks the encoder once more
    )
    return value.detach()


def _gradients(leaves: Sequence[Tensor]) -> list[Tensor]:
    """The leaves' gradients; zero where the decoder did not use a leaf."""
    return [leaf.grad if leaf.grad is not None else torch.zeros_like(leaf) for leaf in leaves]
