"""PyTorch's and MONAI's layers with the same weights and results, in less time.

`use_faster_layers` is the only place where a layer's class is exchanged for another; whether each
still pays is what its measurement tells.
"""

from __future__ import annotations

import torch
from monai.networks.nets.swin_unetr import WindowAttention
from torch import Tensor, nn
from torch.nn import functional

SMALL = 20480
"""PyTorch convolves a single sample whose channels, planes and rows multiply to no more than this
by an explicit matrix of all neighborhoods (``slow_conv3d``), and everything else by oneDNN."""


def use_faster_layers(module: nn.Module) -> None:
    """Exchange the layers of a module for faster ones, in place.

    Only layers of exactly these classes are exchanged. Weights, their names and hence state
    dictionaries stay as they are, and results are equal up to rounding:

    - ``torch.nn.Conv3d`` for `FasterConv3d`,
    - ``torch.nn.GroupNorm`` for `FasterGroupNorm`,
    - MONAI's ``WindowAttention`` for `FasterAttention`, with fused attention where there are no
      gradients and MONAI has it (1.6).

    What each brings, as CPU time with the plain layer over that with the faster one, forward, and
    forward and backward (PyTorch 2.13, MONAI 1.6.1, one thread of an AMD EPYC with bf16 beside a
    busy core, 2026-11-30, medians of 5 patches of 64^3):

    =================  =================  ============  ============
    layer              network            float32       bf16
    =================  =================  ============  ============
    `FasterConv3d`     cnn                4.2 and 3.9   not used
    `FasterConv3d`     swin_unet          2.5 and 2.4   not used
    `FasterGroupNorm`  cnn                1.0 and 1.0   1.0 and 1.25
    `FasterAttention`  swin_unet          1.1 and 1.0   1.2 and 1.2
    `FasterAttention`  the paper's shape  1.5 and 1.0   1.8 and 1.5
    =================  =================  ============  ============

    ``python Testing/benchmarks/networks.py --threads 1 --repeats 5`` measures it. Without gradients
    the gain of attention is that of the fused attention.
    """
    for layer in module.modules():
        faster = FASTER.get(type(layer))
        if faster is not None:
            layer.__class__ = faster
            if faster is FasterAttention:
                layer.use_flash_attention = True  # type: ignore[assignment]  # no such parameter


class FasterConv3d(nn.Conv3d):
    """A convolution that hands oneDNN a single small map in float32 as two halves.

    The maps of patches of 64 to 96 voxels are such small maps, at nearly every level. Two slabs
    that overlap by the kernel's reach, as a batch of two, give the same numbers up to rounding.
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


class FasterGroupNorm(nn.GroupNorm):
    """Group normalization that hands its backward pass contiguous maps on CPUs.

    Its kernel is made for them: backward through channels-last maps (1, 16, 32, 32, 32) in bf16
    took 7.6 ms instead of 0.2 ms (PyTorch 2.13). Copying back and forth takes a fraction.
    """

    def forward(self, maps: Tensor) -> Tensor:
        if maps.device.type != "cpu" or not torch.is_grad_enabled():
            return super().forward(maps)
        normed = super().forward(maps.contiguous())
        return normed.contiguous(memory_format=torch.channels_last_3d)


class FasterAttention(WindowAttention):  # type: ignore[misc]  # MONAI is untyped
    """MONAI's window attention; its forward pass writes the scores once, in the type of autocast.

    The position's bias and the mask are what the product of queries and keys is added to. Without
    gradients it is MONAI's.
    """

    def forward(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Attend in windows (B * windows, N, C); ``mask`` (windows, N, N) is added to scores."""
        if not torch.is_grad_enabled():
            attended: Tensor = super().forward(tokens, mask)
            return attended
        count, n, channels = tokens.shape
        heads, width = self.num_heads, channels // self.num_heads
        # Reshaping into rows of heads copies: queries, keys and values at once.
        qkv = self.qkv(tokens).view(count, n, 3, heads, width).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.reshape(3, count * heads, n, width)
        index = self.relative_position_index[:n, :n].reshape(-1)
        bias = self.relative_position_bias_table[index].view(n, n, heads).permute(2, 0, 1)
        bias = bias.to(q.dtype).expand(count, heads, n, n)
        if mask is not None:
            windows = bias.view(-1, len(mask), heads, n, n) + mask[:, None].to(q.dtype)
            bias = windows.view(count, heads, n, n)
        scores = torch.baddbmm(bias.reshape(-1, n, n), q, k.transpose(1, 2), alpha=self.scale)
        weights = scores.softmax(-1).to(v.dtype)
        mixed = torch.bmm(weights, v).view(count, heads, n, width)
        projected: Tensor = self.proj(mixed.transpose(1, 2).reshape(count, n, channels))
        return projected


FASTER: dict[type[nn.Module], type[nn.Module]] = {
    nn.Conv3d: FasterConv3d,
    nn.GroupNorm: FasterGroupNorm,
    WindowAttention: FasterAttention,
}
"""The plain layer's class -> the faster one's."""
