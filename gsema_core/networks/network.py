"""What every network of this project is: subvoxels in, a body at half resolution, subvoxels out."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from monai.networks.utils import pixelshuffle, pixelunshuffle
from torch import Tensor, nn
from torch.nn import functional

from gsema_core.labels import CLASSES
from gsema_core.networks.click_layers import CLICK_CHANNELS, CLICK_GAIN, take_fewer_channels
from gsema_core.networks.faster_layers import use_faster_layers
from gsema_core.networks.network_config import NetworkConfig

SUBVOXELS = 8  # 2 x 2 x 2 voxels of the full grid lie in one voxel of the half grid


class Encoded(NamedTuple):
    """What the encoder hands to the decoder.

    Attributes:
        latent: the deepest map (B, C, D / m, H / m, W / m), ``m`` being the network's multiple.
            The contrastive loss compares these (the paper's z).
        skips: the maps that the decoder also needs, finest first.
    """

    latent: Tensor
    skips: tuple[Tensor, ...]


class SegmentationNetwork(nn.Module):
    """Logits of background, vessel and aneurysm for patches of an angiography.

    Convolutions at full resolution take most of the time on a CPU, and make boundaries thin. Here
    they are avoided: the 2 x 2 x 2 neighboring voxels become channels (pixel unshuffle), and all
    convolutions run at half resolution or below. One last convolution, which sees the original
    subvoxels again, predicts the classes of each of the 8 subvoxels at once (pixel shuffle).

    A network with ``config.click_width_mm`` takes a user's clicks as two more channels, which the
    body sees at half resolution (average of 8 voxels, times `CLICK_GAIN`) beside the subvoxels;
    their weights begin at zero. An image without them has no clicks: it is answered as if they
    were zero, in the time of a network without clicks.

    Args:
        config: what it is built from.
        body: a U-shaped network at half resolution with ``encode(subvoxels (B, 8, ...)) ->
            Encoded`` and ``decode(Encoded) -> (B, config.features, ...)``. Its first convolutions
            have `body_channels` channels.
    """

    def __init__(self, config: NetworkConfig, body: nn.Module) -> None:
        super().__init__()
        self.config = config
        self.body: Any = body
        self.head = nn.Conv3d(
            config.features + SUBVOXELS, CLASSES * SUBVOXELS, kernel_size=3, padding=1
        )
        use_faster_layers(self)
        if config.takes_clicks:
            take_fewer_channels(self.body, SUBVOXELS, body_channels(config))

    @property
    def multiple(self) -> int:
        """Every spatial size of an input must be a multiple of this many voxels."""
        return self.config.multiple

    def encode(self, image: Tensor) -> Encoded:
        """Encode ``image`` (B, 1, D, H, W), intensities in [0, 1].

        With clicks it is (B, 3, D, H, W): intensities, clicks inside and clicks outside.
        """
        check_channels(image, self.config)
        if any(size % self.multiple for size in image.shape[2:]):
            raise ValueError(
                f"Patch size {tuple(image.shape[2:])} must be a multiple of {self.multiple}."
            )
        subvoxels = _fast(pixelunshuffle(image[:, :1], spatial_dims=3, scale_factor=2))
        seen = subvoxels
        if image.shape[1] > 1:
            clicks = CLICK_GAIN * functional.avg_pool3d(image[:, 1:], 2)
            seen = _fast(torch.cat([subvoxels, clicks], dim=1))
        latent, skips = self.body.encode(seen)
        return Encoded(latent, (subvoxels, *skips))

    def decode(self, encoded: Encoded) -> Tensor:
        """Decode to logits (B, 3, D, H, W)."""
        subvoxels, *skips = encoded.skips
        features = self.body.decode(Encoded(encoded.latent, tuple(skips)))
        classes = self.head(torch.cat([features, subvoxels.to(features.dtype)], dim=1))
        logits: Tensor = pixelshuffle(classes, spatial_dims=3, scale_factor=2)
        return logits

    def forward(self, image: Tensor) -> Tensor:
        return self.decode(self.encode(image))


def body_channels(config: NetworkConfig) -> int:
    """The channels that the first convolutions of a body see."""
    return SUBVOXELS + (CLICK_CHANNELS if config.takes_clicks else 0)


def check_channels(image: Tensor, config: NetworkConfig) -> None:
    """Refuse channels that a network does not take.

    Raises:
        ValueError: clicks for a network without, or no image and clicks at all.
    """
    allowed = (1, 1 + CLICK_CHANNELS) if config.takes_clicks else (1,)
    if image.shape[1] not in allowed:
        raise ValueError(
            f"The image has {image.shape[1]} channels, expected {' or '.join(map(str, allowed))}."
        )


def _fast(maps: Tensor) -> Tensor:
    """Measured: convolutions run 1.3 to 3 times faster channels-last on CPUs."""
    if maps.device.type != "cpu":
        return maps
    return maps.contiguous(memory_format=torch.channels_last_3d)
