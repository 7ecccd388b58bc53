"""First convolutions of a network that takes clicks, and weights from before it took any."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gsema_core.networks.faster_layers import FasterConv3d

CLICK_CHANNELS = 2
"""Clicks inside aneurysms, and clicks outside: see `clicks.click_channels`."""

CLICK_GAIN = 10.0
"""By what clicks are multiplied. Their weights begin at zero, and Adam moves every weight by no
more than the learning rate a step: without a gain they were a twentieth of the image's after 200
steps from the bundled teacher, and a click changed hardly anything. Ours, measured."""


class LeadingConv3d(FasterConv3d):
    """A convolution that takes maps without its last channels as if those were zero.

    It leaves out their weights. So a network without a click takes the time, and gives the same
    bits, as one whose first convolution never had these channels.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return super()._conv_forward(input, weight[:, : input.shape[1]], bias)


@torch.no_grad()
def take_fewer_channels(module: nn.Module, needed: int, channels: int) -> None:
    """Exchange every convolution of so many channels for a `LeadingConv3d`, in place.

    Args:
        module: has them.
        needed: leading channels that an input always has; the other weights are set to zero.
        channels: of the convolutions.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv3d) and layer.in_channels == channels:
            layer.__class__ = LeadingConv3d
            layer.weight[:, needed:] = 0.0


def with_click_weights(weights: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Weights of a network without clicks, for the same network with them.

    Where a weight of ``network`` has two more input channels, zeros are put behind its own: the
    network answers as before, and a click changes nothing until it is trained.

    Args:
        weights: the state dictionary of the network without clicks.
        network: takes clicks.

    Raises:
        ValueError: a weight has another shape than that; a clause that says which. A swin_unet of
            8 features, whose first block has a shortcut without weights, cannot be grown.
    """
    grown = dict(weights)
    for name, wanted in network.state_dict().items():
        old = weights.get(name)
        if old is not None and old.shape == wanted.shape:
            continue
        if old is None or not _lacks_clicks(old.shape, wanted.shape):
            found = "are not there" if old is None else f"have the shape {tuple(old.shape)}"
            raise ValueError(
                f"the weights {name} {found}, and {tuple(wanted.shape)} with clicks; nothing but "
                f"{CLICK_CHANNELS} more input channels can be added"
            )
        grown[name] = torch.zeros_like(wanted)
        grown[name][:, : old.shape[1]] = old
    return grown


def _lacks_clicks(old: torch.Size, wanted: torch.Size) -> bool:
    """Whether a weight has as many input channels less as there are of clicks."""
    return len(old) == len(wanted) >= 2 and [*wanted] == [old[0], old[1] + CLICK_CHANNELS, *old[2:]]
