from __future__ import annotations

from unittest import mock

import pytest
import torch
from monai.networks.nets import SegResNet
from monai.networks.nets.swin_unetr import WindowAttention
from torch import nn
from torch.profiler import profile

from gsema_core.networks import NetworkConfig, build_network
from gsema_core.networks.faster_layers import (
    FASTER,
    FasterAttention,
    FasterConv3d,
    FasterGroupNorm,
    use_faster_layers,
)

torch.set_num_threads(1)


def kernels(run):
    with profile() as recorded:
        run()
    return {event.key for event in recorded.key_averages()}


def pair(**settings):
    """The same convolution twice: ours, and PyTorch's."""
    torch.manual_seed(0)
    reference = nn.Conv3d(8, 16, 3, padding=1, **settings)
    ours = FasterConv3d(8, 16, 3, padding=1, **settings)
    ours.load_state_dict(reference.state_dict())
    return ours, reference


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(8, 6, 4), (7, 6, 5), (2, 3, 3), (3, 1, 2), (1, 4, 4)])
def test_halves_give_the_values_and_gradients_of_the_whole(size, bias, layout):
    results = []
    for module in pair(bias=bias):
        torch.manual_seed(1)
        maps = torch.randn(1, 8, *size).to(memory_format=layout).requires_grad_()
        result = module(maps)
        (result * torch.linspace(-1, 1, result.numel()).view_as(result)).sum().backward()
        results.append([result, maps.grad, *(each.grad for each in module.parameters())])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_a_single_small_map_takes_the_fast_kernel():
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this PyTorch has no oneDNN")
    ours, reference = pair()
    maps = torch.randn(1, 8, 10, 10, 10)
    assert "aten::slow_conv3d_forward" in kernels(lambda: reference(maps))
    assert "aten::slow_conv3d_forward" not in kernels(lambda: ours(maps))


@pytest.mark.parametrize(
    ("maps", "settings"),
    [
        (torch.zeros(2, 8, 4, 4, 4), {}),  # a batch
        (torch.zeros(1, 8, 52, 52, 2), {}),  # a large map
        (torch.zeros(1, 8, 4, 4, 4, dtype=torch.float64), {}),
        (torch.zeros(1, 8, 4, 4, 4), {"stride": 2}),
        (torch.zeros(1, 8, 4, 4, 4), {"groups": 2}),
        (torch.zeros(1, 8, 4, 4, 4), {"dilation": 2}),
        (torch.zeros(1, 8, 4, 4, 4), {"padding_mode": "circular"}),
    ],
)
def test_everything_else_is_left_to_pytorch(maps, settings):
    ours, reference = (each.to(maps.dtype) for each in pair(**settings))
    assert not ours._is_slow(maps)
    assert torch.equal(ours(maps), reference(maps))


def test_autocast_keeps_its_own_kernels():
    ours, _ = pair()
    with torch.autocast("cpu", torch.bfloat16):
        assert not ours._is_slow(torch.zeros(1, 8, 4, 4, 4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_group_normalization_keeps_layout_and_gradients(dtype):
    torch.manual_seed(0)
    norm, reference = FasterGroupNorm(2, 8), nn.GroupNorm(2, 8)
    results = []
    for module in (norm, reference):
        torch.manual_seed(1)
        maps = torch.randn(2, 8, 4, 4, 4).to(dtype).to(memory_format=torch.channels_last_3d)
        maps.requires_grad_()
        result = module(maps)
        result.float().square().sum().backward()
        assert result.is_contiguous(memory_format=torch.channels_last_3d)
        results.append([result, maps.grad, *(each.grad for each in module.parameters())])
    tolerance = {torch.float32: 1e-5, torch.bfloat16: 2e-2}[dtype]
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=tolerance, rtol=tolerance)


class Own(nn.Conv3d):
    pass


def test_only_plain_layers_are_exchanged():
    network = nn.Sequential(
        nn.Conv3d(1, 1, 3), Own(1, 1, 3), nn.Conv2d(1, 1, 3), nn.GroupNorm(1, 1)
    )
    use_faster_layers(network)
    assert [type(each) for each in network] == [FasterConv3d, Own, nn.Conv2d, FasterGroupNorm]


@pytest.mark.parametrize("kind", ["cnn", "swin_unet"])
def test_a_network_is_exchanged(kind):
    config = NetworkConfig(kind, features=8, stages=3, depth=2, window=3)
    network = build_network(config)
    used = {type(each) for each in network.modules()}
    assert FasterConv3d in used
    assert (FasterGroupNorm if kind == "cnn" else FasterAttention) in used
    assert not used & set(FASTER)
    with mock.patch.dict(FASTER, clear=True):
        network = build_network(config)
    assert not {type(each) for each in network.modules()} & set(FASTER.values())


@pytest.mark.parametrize("kind", ["cnn", "swin_unet"])
@pytest.mark.parametrize("gradients", [True, False])
def test_a_network_gives_what_its_plain_layers_give(kind, gradients):
    torch.manual_seed(0)
    config = NetworkConfig(kind, features=8, stages=3, depth=2, window=3)
    network = build_network(config)
    with mock.patch.dict(FASTER, clear=True):
        plain = build_network(config)
    plain.load_state_dict(network.state_dict())
    image = torch.rand(1, 1, 32, 24, 16)
    with torch.set_grad_enabled(gradients):
        torch.testing.assert_close(network(image), plain(image), atol=1e-4, rtol=1e-4)


def test_a_state_dictionary_of_monais_own_network_loads_unchanged():
    torch.manual_seed(0)
    settings = {"spatial_dims": 3, "in_channels": 1, "init_filters": 8, "out_channels": 3}
    theirs, ours = SegResNet(**settings).eval(), SegResNet(**settings).eval()
    use_faster_layers(ours)
    assert ours.load_state_dict(theirs.state_dict(), strict=True)
    maps = torch.rand(1, 1, 16, 16, 16)
    torch.testing.assert_close(ours(maps), theirs(maps), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("gradients", [True, False])
def test_attention_is_monais(masked, gradients):
    torch.manual_seed(0)
    settings = {"dim": 8, "num_heads": 2, "window_size": (2, 3, 2), "qkv_bias": True}
    theirs, ours = WindowAttention(**settings), WindowAttention(**settings)
    use_faster_layers(ours)
    ours.load_state_dict(theirs.state_dict())
    tokens = torch.randn(6, 12, 8)
    mask = None
    if masked:
        mask = torch.zeros(3, 12, 12).masked_fill(torch.rand(3, 12, 12) < 0.3, -100.0)
    with torch.set_grad_enabled(gradients):
        torch.testing.assert_close(ours(tokens, mask), theirs(tokens, mask), atol=1e-5, rtol=1e-5)
