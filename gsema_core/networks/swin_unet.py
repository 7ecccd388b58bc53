"""The paper's architecture: a Swin-UNet (Cao et al., 2022) of MONAI's blocks, live parts only."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from monai.networks.blocks import UnetrBasicBlock, UnetrUpBlock
from monai.networks.nets.swin_unetr import PatchMergingV2
from torch import Tensor, nn

from gsema_core.networks.network import Encoded, body_channels
from gsema_core.networks.network_config import NetworkConfig
from gsema_core.networks.swin_stage import SwinStage


class SwinUNetBody(nn.Module):
    """Attention where it is cheap and sees far, convolutions where the boundary is.

    At half resolution a residual convolution block. From quarter resolution down: patch
    embedding, Swin stages with shifted windows, patch merging between them. The decoder has a
    transposed convolution and a residual block a level (as in Swin UNETR). A window of 6 tokens
    spans 24 voxels in the first Swin stage and twice as many in each further one.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels = [config.features * 2**level for level in range(config.stages)]
        self.stem = _residual_block(body_channels(config), channels[0])
        self.embed = nn.Conv3d(channels[0], channels[1], kernel_size=2, stride=2)
        self.stages = nn.ModuleList(
            SwinStage(
                dim=width,
                depth=config.depth,
                num_heads=config.heads * 2**level,
                window_size=(config.window,) * 3,
                drop_path=[0.0] * config.depth,
                qkv_bias=True,
            )
            for level, width in enumerate(channels[1:])
        )
        self.mergings = nn.ModuleList(PatchMergingV2(dim=width) for width in channels[1:-1])
        self.skip_blocks = nn.ModuleList(_residual_block(width, width) for width in channels[1:-1])
        self.ups = nn.ModuleList(
            UnetrUpBlock(
                spatial_dims=3,
                in_channels=deep,
                out_channels=fine,
                kernel_size=3,
                upsample_kernel_size=2,
                norm_name="instance",
                res_block=True,
            )
            for fine, deep in reversed(list(pairwise(channels)))
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in channels[1:])

    def encode(self, subvoxels: Tensor) -> Encoded:
        maps = [self.stem(subvoxels)]
        tokens = self.embed(maps[0])
        for level, (stage, norm) in enumerate(zip(self.stages, self.norms, strict=True)):
            if level:
                tokens = _channels_last(self.mergings[level - 1], tokens)
            tokens = stage(tokens)
            maps.append(_channels_last(norm, tokens))
        return Encoded(maps[-1], tuple(maps[:-1]))

    def decode(self, encoded: Encoded) -> Tensor:
        # The skips' blocks are no part of the way to the latent: what asks for the latent alone,
        # as the teacher and the contrastive loss do, need not pay for them.
        fine, *coarse = encoded.skips
        blocks = zip(self.skip_blocks, coarse, strict=True)
        skips = [fine, *(block(maps) for block, maps in blocks)]
        features = encoded.latent
        for up, skip in zip(self.ups, reversed(skips), strict=True):
            features = up(features, skip.to(features.dtype))
        return features


def _residual_block(channels_in: int, channels_out: int) -> nn.Module:
    return cast(
        nn.Module,
        UnetrBasicBlock(
            spatial_dims=3,
            in_channels=channels_in,
            out_channels=channels_out,
            kernel_size=3,
            stride=1,
            norm_name="instance",
            res_block=True,
        ),
    )


def _channels_last(module: nn.Module, maps: Tensor) -> Tensor:
    """Apply a module that wants (B, D, H, W, C) to maps (B, C, D, H, W)."""
    moved = module(torch.movedim(maps, 1, -1))
    return torch.movedim(moved, -1, 1)
