"""The segmentation loss by name: the paper's, or one from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from gsema_core import plugins
from gsema_core.errors import UserError
from gsema_core.labels import CLASSES
from gsema_core.losses.dice_ce import DiceCELoss

DICE_CE = "dice_ce"

_EDGE = 16
"""Of the patch that a loss from outside is tried on (ours): deeper pyramids than four levels are
rare."""


class SegmentationLoss(Protocol):
    """What a segmentation loss of your own must be: a class whose keywords are its options.

    Compute the loss of each sample and average: a batch then means the same however it is divided.
    Under mixed precision logits may come in half precision. A loss that can leave voxels out has a
    method ``with_ignored`` too, which is called for batches with voxels that nobody labeled
    (`gsema_core.labels.IGNORE`); data with such voxels is refused for any other.
    """

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return a scalar with a gradient.

        Args:
            logits: ``(B, 3, D, H, W)``, before the softmax: background, vessel, aneurysm.
            labels: ``(B, 1, D, H, W)``, the values 0, 1 and 2 as whole numbers.
        """


def build_segmentation_loss(
    name: str = DICE_CE,
    options: Mapping[str, Any] | None = None,
    class_weights: Sequence[float] = (),
    smoothing: float = 1e-5,
) -> SegmentationLoss:
    """Return the loss of that name.

    Args:
        name: ``dice_ce`` or ``package.module:Name``.
        options: keywords of a loss of your own.
        class_weights: of ``dice_ce``, see `DiceCELoss`; none means equal weights.
        smoothing: of ``dice_ce``, see `DiceCELoss`.

    Raises:
        UserError: there is no such loss, it has no such options, or it is no loss.
    """
    if name == DICE_CE:
        if options:
            raise UserError(
                "The loss dice_ce has no table of its own: set class_weights and dice_smoothing "
                "in [optimization]."
            )
        return DiceCELoss(class_weights or None, smoothing)
    if class_weights:
        raise UserError(
            f"Setting class_weights in [optimization] is for dice_ce, not for the loss {name}: "
            "leave it out, and give that loss its own weights."
        )
    factory = plugins.find(name, "loss", [DICE_CE])
    loss: SegmentationLoss = plugins.make(name, "loss", factory, options or {})
    plugins.check_protocol(loss, SegmentationLoss, name, "loss")
    _try(name, loss)
    return loss


def loss_with_ignored(
    loss: Callable[[Tensor, Tensor], Tensor],
) -> Callable[[Tensor, Tensor], Tensor]:
    """The form of a loss for labels with ignored voxels (`gsema_core.labels.IGNORE`).

    Raises:
        UserError: it has none.
    """
    found: Callable[[Tensor, Tensor], Tensor] | None = getattr(loss, "with_ignored", None)
    if found is None:
        raise UserError(
            f"The loss {type(loss).__name__} cannot leave voxels out, and the labels have some to "
            "ignore: give it a method with_ignored(logits, labels), or train with dice_ce."
        )
    return found


def _try(name: str, loss: SegmentationLoss) -> None:
    """Refuse now what would fail at the first step, after hours of preparing."""
    shape = (1, CLASSES, _EDGE, _EDGE, _EDGE)
    logits = torch.zeros(shape, requires_grad=True)
    labels = torch.zeros((1, 1, *shape[2:]), dtype=torch.uint8)
    labels[..., : _EDGE // 2], labels[..., :2] = 1, 2
    with torch.random.fork_rng(devices=[]):  # trying it must not change anybody's random numbers
        try:
            value = loss(logits, labels)
        except Exception as error:
            raise UserError(
                f"The loss {name} fails for logits {shape} and labels {tuple(labels.shape)} "
                f"({type(error).__name__}: {error})."
            ) from error
    if not isinstance(value, Tensor) or value.ndim or not value.requires_grad:
        found = f"{tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise UserError(
            f"The loss {name} returns {found}: it must return a scalar tensor that has a gradient "
            "to the logits."
        )
