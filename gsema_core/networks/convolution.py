"""Convolutions of single patches in float32 on CPUs, by the fast kernel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALL = 20480
"""PyTorch convolves a single sample whose channels, planes and rows multiply to no more than this
by an explicit matrix of all neighborhoods (``slow_conv3d``), and everything else by oneDNN."""


class Conv3d(nn.Conv3d):
    """A convolution that hands oneDNN a single small map as two halves.

    The maps of patches of 64 to 96 voxels are such small maps, at nearly every level. Two slabs
    that overlap by the kernel's reach, as a batch of two, give the same numbers up to rounding.
    Passes through whole networks take 0.37 to 0.57 of the time (docs/networks.md).
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not self._is_slow(input):
            whole: Tensor = super()._conv_forward(input, weight, bias)
            return whole
        planes = input.shape[2]
        half = (planes + 1) // 2
        # One plane of zeros before the first and behind the last, two where the number is odd.
        padded = functional.pad(input, (0, 0, 0, 0, 1, 1 + planes % 2))
        slabs = torch.cat([padded[:, :, : half + 2], padded[:, :, half:]])
        first, second = functional.conv3d(slabs, weight, bias, padding=(0, 1, 1)).split(1)
        return torch.cat([first, second[:, :, : planes - half]], dim=2)

    def _is_slow(self, maps: Tensor) -> bool:
        return (
            maps.device.type == "cpu"
            and torch.backends.mkldnn.is_available()
            and maps.dtype == torch.float32
            and not torch.is_autocast_enabled("cpu")
            and maps.shape[0] == 1
            and maps.shape[1:4].numel() <= SMALL
            and maps.shape[2] > 1
            and (self.kernel_size, self.stride) == ((3, 3, 3), (1, 1, 1))
            and (self.padding, self.dilation) == ((1, 1, 1), (1, 1, 1))
            and (self.groups, self.padding_mode) == (1, "zeros")
        )


def use_fast_convolutions(network: nn.Module) -> None:
    """Make every plain 3D convolution in ``network`` a `Conv3d`; weights and names stay."""
    for module in network.modules():
        if type(module) is nn.Conv3d:
            module.__class__ = Conv3d
