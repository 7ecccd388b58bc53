"""The one place that turns a NetworkConfig into a network, ours or one from outside."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from gsema_core import plugins
from gsema_core.errors import UserError
from gsema_core.labels import CLASSES
from gsema_core.networks.click_layers import CLICK_CHANNELS
from gsema_core.networks.cnn import SegResNetBody
from gsema_core.networks.network import Encoded, SegmentationNetwork
from gsema_core.networks.network_config import NetworkConfig
from gsema_core.networks.swin_unet import SwinUNetBody

_BODIES = {"swin_unet": SwinUNetBody, "cnn": SegResNetBody}


class Network(Protocol):
    """What a network of your own must be: a ``torch.nn.Module`` that is made from a NetworkConfig.

    Options of its own are keywords, which ``[network.options]`` gives. Calling it must do what
    ``decode(encode(image))`` does, and its floating-point weights are what a teacher file holds.

    Attributes:
        config: the NetworkConfig that it was made from. ``stages`` says how deep the latent lies.
            Whether the other sizes matter is up to the network.
        multiple: ``config.multiple``; every spatial size of an input is a multiple of it.
    """

    config: NetworkConfig
    multiple: int

    def encode(self, image: Tensor) -> Encoded:
        """Encode ``(B, 1, D, H, W)``, intensities in [0, 1].

        Where ``config.takes_clicks``, it also encodes ``(B, 3, D, H, W)``: intensities, clicks
        inside aneurysms and clicks outside (Gaussians with peak 1). Without a click both are the
        same to it.
        """

    def decode(self, encoded: Encoded) -> Tensor:
        """Decode to logits ``(B, 3, D, H, W)`` of background, vessel and aneurysm."""


def build_network(config: NetworkConfig) -> SegmentationNetwork:
    """Build a network with random weights (torch's global generator draws them).

    Raises:
        UserError: a network of your own does not exist, or does not have what `Network` asks for.
    """
    if config.kind in _BODIES:
        return SegmentationNetwork(config, _BODIES[config.kind](config))
    factory = plugins.find(config.kind, "network", _BODIES)
    network: SegmentationNetwork = plugins.make(
        config.kind, "network", factory, config.options, config
    )
    if not isinstance(network, nn.Module):
        raise UserError(f"The network {config.kind} is no torch.nn.Module: make it a subclass.")
    plugins.check_protocol(network, Network, config.kind, "network")
    _check(network, config)
    return network


@torch.no_grad()
def _check(network: SegmentationNetwork, config: NetworkConfig) -> None:
    """Refuse now what would fail at the first step, after hours of preparing."""
    if network.config != config or network.multiple != config.multiple:
        raise UserError(
            f"The network {config.kind} has another config than the one given, or another "
            f"multiple than its {config.multiple}: let both be those of the given config."
        )
    if any(weight.is_meta for weight in network.parameters()):
        return  # only its shapes are wanted
    was_training = network.training
    network.eval()
    image = torch.zeros(1, 1, *[2 * config.multiple] * 3)
    logits = _checked_logits(network, config, image)
    if config.takes_clicks:
        without = torch.zeros(1, 1 + CLICK_CHANNELS, *image.shape[2:])
        if not _same(_checked_logits(network, config, without), logits):
            raise UserError(
                f"The network {config.kind} answers another for channels without a click than "
                "without these channels: let an image of one channel mean that nobody clicked."
            )
    network.train(was_training)


def _checked_logits(network: SegmentationNetwork, config: NetworkConfig, image: Tensor) -> Tensor:
    """What it answers, if that has the form it must have."""
    try:
        with torch.random.fork_rng(devices=[]):
            encoded = network.encode(image)
            logits = network.decode(encoded)
            same = _same(network(image), logits)
    except Exception as error:
        raise UserError(
            f"The network {config.kind} fails for an image {tuple(image.shape)} "
            f"({type(error).__name__}: {error})."
        ) from error
    expected = (1, CLASSES, *image.shape[2:])
    if not isinstance(encoded, Encoded) or logits.shape != expected or not same:
        raise UserError(
            f"The network {config.kind} makes {type(encoded).__name__} and logits "
            f"{tuple(logits.shape)} of an image {tuple(image.shape)}: encode must return Encoded, "
            f"decode {expected}, and calling it the same."
        )
    return logits


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, atol=1e-5, equal_nan=True)
