"""The two domains' gradients and the contrastive one, exactly, cheaper than the naive step.

Naive: four forwards, a backward of the total loss and one more for g_s and for g_t. Here the
teacher only encodes, and every graph is walked no more often than three separate gradients need:
decoders once a stream, the way to the latent once a stream and once for the contrastive part of
both (measured, with the bound, in docs/explanation/method.md).

A gate that compares the decoder's gradients only needs none of the encoder's apart: then the
encoder is walked once, with everything that reaches it summed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gsema_core.losses.consistency import consistency_loss
from gsema_core.networks.network import Encoded, SegmentationNetwork
from gsema_core.surgery.gradients import CONTRAST, ENCODER, SOURCE, TARGET, GradientRows

SegmentationLoss = Callable[[Tensor, Tensor], Tensor]
ContrastiveLoss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class Losses(NamedTuple):
    """Detached scalars of one batch, zero where a loss is off.

    Attributes:
        source: eq. 2's loss on the source patches.
        target: eq. 2's loss on the target patches.
        contrast: the BACL of eq. 5.
        consistency: `consistency_loss` of both predictions, weighted.
    """

    source: Tensor
    target: Tensor
    contrast: Tensor
    consistency: Tensor


def split_backward(
    rows: GradientRows,
    student: SegmentationNetwork,
    teacher: SegmentationNetwork | None,
    source: tuple[Tensor, Tensor],
    target: tuple[Tensor, Tensor],
    segmentation_loss: SegmentationLoss,
    contrastive_loss: ContrastiveLoss | None = None,
    *,
    consistency_weight: float = 0.0,
    encoder_once: tuple[float, float] | None = None,
) -> Losses:
    """Add the gradients of one batch to ``rows``; no weight changes.

    Peak memory is two encoder graphs and one decoder graph (two with consistency). Call it inside
    the autocast context of the step; the losses themselves run in float32.

    Args:
        rows: where the three gradients accumulate.
        student: the network that learns.
        teacher: encodes both patches without gradient; needed only with ``contrastive_loss``.
        source: image and labels of the source patches, (B, 1, D, H, W) both.
        target: the transformed patches, likewise.
        segmentation_loss: of logits (B, 3, D, H, W) and labels; eq. 1.
        contrastive_loss: of z_s, z_t, z'_s, z'_t; eq. 3-5. None: the row stays as it is.
        consistency_weight: of `consistency_loss`, beside the segmentation losses. Each stream's
            gradient has its own part of it, the other prediction held fixed; their sum is exact.
        encoder_once: eq. 6's weights of the segmentation losses and of the contrastive loss. With
            them the rows of both domains hold the decoder's gradients only, and the third row the
            encoder's gradient of the whole loss, so weighted: ``rows.combine(supervised, 1.0)``
            is the same total. None: the rows hold the three losses' gradients.
    """
    streams = [_Stream(student, *source), _Stream(student, *target)]
    walk = _Stream.walk_decoder if encoder_once else _Stream.walk
    if consistency_weight:
        losses, consistency = _agreeing(rows, streams, segmentation_loss, consistency_weight, walk)
    else:
        losses = []
        for row, stream in zip((SOURCE, TARGET), streams, strict=True):
            with rows.row(row):  # one decoder's graph at a time
                loss = segmentation_loss(stream.decode(), stream.labels)
                walk(stream, loss)
            losses.append(loss.detach())
        consistency = losses[0].new_zeros(())
    contrast = losses[0].new_zeros(())
    cotangents: list[Tensor] = []
    if contrastive_loss is not None:
        if teacher is None:
            raise ValueError("The contrastive loss compares student and teacher: pass the teacher.")
        images = (source[0], target[0])
        contrast, cotangents = _contrast(streams, teacher, images, contrastive_loss)
    if encoder_once:
        with rows.row(ENCODER):
            _walk_encoders(streams, cotangents, *encoder_once)
    elif cotangents:
        with rows.row(CONTRAST):  # both encoders at once; their graphs are freed
            torch.autograd.backward([stream.encoded.latent for stream in streams], cotangents)
    return Losses(losses[0], losses[1], contrast, consistency)


def single_backward(
    rows: GradientRows,
    student: SegmentationNetwork,
    batch: tuple[Tensor, Tensor],
    segmentation_loss: SegmentationLoss,
) -> Losses:
    """Add the gradient of one batch to both domains' rows: source and target are the same patches.

    Plain supervised training: half the work of `split_backward`, and the same gradients.
    """
    with rows.row(SOURCE):
        loss = segmentation_loss(student(batch[0]), batch[1])
        loss.backward()
    rows.target.copy_(rows.source)
    zero = torch.zeros_like(loss.detach())
    return Losses(loss.detach(), loss.detach(), zero, zero)


class _Stream:
    """One domain's way through the student, cut between encoder and decoder."""

    def __init__(self, student: SegmentationNetwork, image: Tensor, labels: Tensor) -> None:
        self.student = student
        self.labels = labels
        self.encoded = student.encode(image)
        self.maps = [self.encoded.latent, *self.encoded.skips]
        self.leaves = [each.detach().requires_grad_(each.requires_grad) for each in self.maps]

    def decode(self) -> Tensor:
        """The logits; their graph begins at leaves, so that it can be freed on its own."""
        return self.student.decode(Encoded(self.leaves[0], tuple(self.leaves[1:])))

    def walk(self, loss: Tensor) -> None:
        """Walk a loss on the logits through the decoder, free it, then through the encoder."""
        self.walk_decoder(loss)
        maps, cotangents = self.encoder_walk()
        # The contrastive loss walks the encoder once more.
        torch.autograd.backward(maps, cotangents, retain_graph=True)

    def walk_decoder(self, loss: Tensor) -> None:
        """Walk a loss on the logits through the decoder, down to the leaves, and free it."""
        loss.backward()

    def encoder_walk(self) -> tuple[list[Tensor], list[Tensor]]:
        """The maps that have a graph, the latent first, and the decoder's gradient of each."""
        live = [index for index, each in enumerate(self.maps) if each.requires_grad]
        leaves = [self.leaves[index] for index in live]
        return [self.maps[index] for index in live], _gradients(leaves)


def _agreeing(
    rows: GradientRows,
    streams: Sequence[_Stream],
    segmentation_loss: SegmentationLoss,
    weight: float,
    walk: Callable[[_Stream, Tensor], None],
) -> tuple[list[Tensor], Tensor]:
    """Both streams' segmentation losses, each with its part of the agreement."""
    logits = [stream.decode() for stream in streams]
    fixed = [each.detach() for each in logits]
    losses = []
    for row, (stream, own, other) in enumerate(zip(streams, logits, fixed[::-1], strict=True)):
        with rows.row(row):
            loss = segmentation_loss(own, stream.labels)
            disagreement = consistency_loss(own, other)
            walk(stream, loss + weight * disagreement)
        losses.append(loss.detach())
    return losses, weight * disagreement.detach()


def _contrast(
    streams: Sequence[_Stream],
    teacher: SegmentationNetwork,
    images: Sequence[Tensor],
    contrastive_loss: ContrastiveLoss,
) -> tuple[Tensor, list[Tensor]]:
    """The contrastive loss, and its gradients with respect to both latents."""
    with torch.no_grad():
        references = [teacher.encode(image).latent for image in images]
    leaves = [stream.encoded.latent.detach().requires_grad_() for stream in streams]
    loss = contrastive_loss(*leaves, *references)
    loss.backward()
    return loss.detach(), _gradients(leaves)


def _walk_encoders(
    streams: Sequence[_Stream],
    contrast: Sequence[Tensor],
    supervised_weight: float,
    contrastive_weight: float,
) -> None:
    """Walk all that reaches the encoders, weighted and summed, through both; free their graphs."""
    maps: list[Tensor] = []
    cotangents: list[Tensor] = []
    for index, stream in enumerate(streams):
        own, gradients = stream.encoder_walk()
        gradients = [each * supervised_weight for each in gradients]
        if contrast:
            gradients[0].add_(contrast[index], alpha=contrastive_weight)
        maps += own
        cotangents += gradients
    torch.autograd.backward(maps, cotangents)


def _gradients(leaves: Sequence[Tensor]) -> list[Tensor]:
    """The leaves' gradients; zero where the decoder did not use a leaf."""
    return [leaf.grad if leaf.grad is not None else torch.zeros_like(leaf) for leaf in leaves]
