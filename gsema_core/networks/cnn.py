"""A convolutional body: MONAI's SegResNet (Myronenko, 2018)."""

from __future__ import annotations

from monai.networks.nets import SegResNet
from torch import Tensor, nn

from gsema_core.networks.network import Encoded, body_channels
from gsema_core.networks.network_config import NetworkConfig


class SegResNetBody(nn.Module):
    """SegResNet at half resolution, split where its latent lies."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.net = SegResNet(
            spatial_dims=3,
            in_channels=body_channels(config),
            init_filters=config.features,
            blocks_down=(1,) + (config.depth,) * (config.stages - 1),
            blocks_up=(1,) * (config.stages - 1),
            use_conv_final=False,
        )
        del self.net.conv_final  # the network has its own head: no dead weights in teacher files

    def encode(self, subvoxels: Tensor) -> Encoded:
        latent, maps = self.net.encode(subvoxels)
        return Encoded(latent, tuple(maps[:-1]))  # the last map is the latent itself

    def decode(self, encoded: Encoded) -> Tensor:
        maps = [encoded.latent, *reversed(encoded.skips)]
        features: Tensor = self.net.decode(encoded.latent, maps)
        return features
