"""A network of one's own: a plain U-Net. In config.toml:

    [network]
    kind = "own_network:TinyUNet"
    features = 8
    stages = 3            # the latent lies at 1/8 of the patch

    [network.options]     # the keywords of __init__ behind config
    groups = 4

Whoever loads a teacher of it names it too: gsema segment ... --network own_network:TinyUNet
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from gsema_core.networks import Encoded, NetworkConfig


class TinyUNet(nn.Module):
    """A convolution a level on the way down and on the way up, and skips between them."""

    def __init__(self, config: NetworkConfig, *, groups: int = 4) -> None:
        super().__init__()
        self.config = config
        self.multiple = config.multiple  # sizes of patches are multiples of 2**stages
        widths = [config.features * 2**level for level in range(config.stages + 1)]

        def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
            convolution = nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1)
            return nn.Sequential(convolution, nn.GroupNorm(groups, outputs), nn.LeakyReLU())

        pairs = list(itertools.pairwise(widths))
        self.start = block(1, widths[0])
        self.downs = nn.ModuleList(block(fine, coarse, stride=2) for fine, coarse in pairs)
        self.ups = nn.ModuleList(nn.ConvTranspose3d(coarse, fine, 2, 2) for fine, coarse in pairs)
        self.joins = nn.ModuleList(block(2 * fine, fine) for fine, _ in pairs)
        self.head = nn.Conv3d(widths[0], 3, 1)

    def encode(self, image: Tensor) -> Encoded:
        """Take an image (B, 1, D, H, W) in [0, 1]; return the latent and the skips."""
        maps = [self.start(image)]
        for down in self.downs:
            maps.append(down(maps[-1]))
        return Encoded(maps[-1], tuple(maps[:-1]))

    def decode(self, encoded: Encoded) -> Tensor:
        """Return the logits (B, 3, D, H, W) of background, vessel and aneurysm."""
        features = encoded.latent
        levels = zip(self.ups, self.joins, encoded.skips, strict=True)
        for up, join, skip in reversed(list(levels)):
            features = join(torch.cat([up(features), skip], dim=1))
        return self.head(features)

    def forward(self, image: Tensor) -> Tensor:
        return self.decode(self.encode(image))
