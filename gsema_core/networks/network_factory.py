"""The one place that turns a NetworkConfig into a network."""

from __future__ import annotations

from gsema_core.networks.cnn import SegResNetBody
from gsema_core.networks.network import SegmentationNetwork
from gsema_core.networks.network_config import NetworkConfig
from gsema_core.networks.swin_unet import SwinUNetBody

_BODIES = {"swin_unet": SwinUNetBody, "cnn": SegResNetBody}


def build_network(config: NetworkConfig) -> SegmentationNetwork:
    """Build a network with random weights (torch's global generator draws them)."""
    return SegmentationNetwork(config, _BODIES[config.kind](config))
