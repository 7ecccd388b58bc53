"""The gradients of one step, kept apart in the rows of one flat buffer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

SOURCE, TARGET, CONTRAST = range(3)

ENCODER = CONTRAST
"""What the third row is where the encoder is walked once: all of its gradient, weighted."""

LOSSES = 4
"""Source, target, contrast, consistency."""


class GradientRows:
    """Three gradients over the same parameters: g_s, g_t and that of the contrastive loss.

    Where the gate compares the decoder's gradients only, g_s and g_t are zero for the encoder, and
    the third row is the encoder's gradient of the whole loss.

    ``row(k)`` makes every parameter's ``.grad`` a view of row ``k``, so that a backward pass
    accumulates into that row without a copy. With one buffer, ranks need one all-reduce only, and
    gradients of several patches add up by themselves.

    Args:
        parameters: the student's parameters, all float32 and on one device.

    Attributes:
        everything: the buffer (3 N + 4,): the rows, then the losses of the step.
        flat: the rows (3, N), a view.
        losses: the sums of the batches' losses (4,) in the order of `Losses`, a view.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self.parameters = list(parameters)
        count = sum(parameter.numel() for parameter in self.parameters)
        self.everything = torch.zeros(3 * count + LOSSES, device=self.parameters[0].device)
        self.flat = self.everything[: 3 * count].view(3, count)
        self.losses = self.everything[3 * count :]

    def zero_(self) -> None:
        self.everything.zero_()

    @contextmanager
    def row(self, index: int) -> Iterator[None]:
        """Let backward passes in this block accumulate into row ``index``."""
        self._attach(index)
        try:
            yield
        finally:
            # Left attached, the next row's backward would add to this one.
            for parameter in self.parameters:
                parameter.grad = None

    @property
    def source(self) -> Tensor:
        """g_s, the flat gradient of the loss on source patches (N,)."""
        return self.flat[SOURCE]

    @property
    def target(self) -> Tensor:
        """g_t, the flat gradient of the loss on transformed patches (N,)."""
        return self.flat[TARGET]

    @property
    def contrast(self) -> Tensor:
        """The flat gradient of the contrastive loss (N,), or of all that reaches the encoder."""
        return self.flat[CONTRAST]

    def combine(self, supervised: float, contrastive: float) -> Tensor:
        """Set ``.grad`` to the gradient of eq. 6 and return it, flat.

        Row ``source`` is overwritten: let the gate decide before.
        """
        total = self.source
        total.add_(self.target).mul_(supervised).add_(self.contrast, alpha=contrastive)
        self._attach(SOURCE)
        return total

    def _attach(self, index: int) -> None:
        start = 0
        for parameter in self.parameters:
            end = start + parameter.numel()
            parameter.grad = self.flat[index, start:end].view(parameter.shape)
            start = end
