"""The paper's architecture: a Swin-UNet (Cao et al., 2022) of MONAI's blocks, live parts only."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any, cast

import torch
from monai.networks.blocks import UnetrBasicBlock, UnetrUpBlock
from monai.networks.nets.swin_unetr import (
    BasicLayer,
    PatchMergingV2,
    compute_mask,
    get_window_size,
)
from torch import Tensor, nn

from gsema_core.networks.config import NetworkConfig
from gsema_core.networks.network import SUBVOXELS, Encoded


class SwinStage(BasicLayer):  # type: ignore[misc]  # MONAI is untyped
    """MONAI's stage of shifted windows, with a mask that is made once and cheap to use.

    MONAI's mask adds -100 where tokens of a window are no neighbors. Softmax then has weights of
    about 1e-44 there, denormal numbers, on which CPUs are slow (measured: 11 ms instead of 3 for
    27 windows of 216 tokens). Minus infinity makes them zero, which float32 sums cannot tell.

    Without gradients PyTorch's fused attention is used, where MONAI offers it (measured: 1.6 times
    faster for the encoder of a 64^3 patch in bf16, 2.6 times for the paper's shape of network).
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for block in self.blocks:
            block.attn.use_flash_attention = True

    def forward(self, maps: Tensor) -> Tensor:
        size = tuple(maps.shape[2:])
        window, shift = get_window_size(size, self.window_size, self.shift_size)
        padded = tuple(-(-n // edge) * edge for n, edge in zip(size, window, strict=True))
        mask = _window_mask(padded, window, shift, maps.device)
        tokens = torch.movedim(maps, 1, -1)
        for block in self.blocks:
            tokens = block(tokens, mask)
        return torch.movedim(tokens, -1, 1)


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
        self.stem = _residual_block(SUBVOXELS, channels[0])
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
        fine = self.stem(subvoxels)
        skips = [fine]
        tokens = self.embed(fine)
        for level, stage in enumerate(self.stages):
            tokens = stage(tokens)
            normed = _channels_last(self.norms[level], tokens)
            if level == len(self.mergings):
                return Encoded(normed, tuple(skips))
            skips.append(normed)
            tokens = _channels_last(self.mergings[level], tokens)
        raise AssertionError("a Swin-UNet has at least one stage")

    def decode(self, encoded: Encoded) -> Tensor:
        # The skips' blocks are no part of the way to the latent: what asks for the latent alone,
        # as the teacher and the contrastive loss do, need not pay for them.
        fine, *coarse = encoded.skips
        skips = [fine, *map(_apply, self.skip_blocks, coarse)]
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


@lru_cache(maxsize=8)
def _window_mask(
    size: tuple[int, ...], window: tuple[int, ...], shift: tuple[int, ...], device: torch.device
) -> Tensor:
    """What is added to attention (windows, tokens, tokens): zero, or minus infinity."""
    with torch.inference_mode(False):  # or training could not use a mask that inference made
        mask: Tensor = compute_mask(list(size), window, shift, device)
        return mask.masked_fill(mask < 0, -torch.inf)


def _apply(module: nn.Module, maps: Tensor) -> Tensor:
    result: Tensor = module(maps)
    return result


def _channels_last(module: nn.Module, maps: Tensor) -> Tensor:
    """Apply a module that wants (B, D, H, W, C) to maps (B, C, D, H, W)."""
    moved = module(torch.movedim(maps, 1, -1))
    return torch.movedim(moved, -1, 1)
