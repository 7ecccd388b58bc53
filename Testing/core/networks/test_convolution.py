from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.profiler import profile

from gsema_core.networks.convolution import Conv3d, use_fast_convolutions

torch.set_num_threads(1)


def kernels(run):
    with profile() as recorded:
        run()
    return {event.key for event in recorded.key_averages()}


def pair(**settings):
    """The same convolution twice: ours, and PyTorch's."""
    torch.manual_seed(0)
    reference = nn.Conv3d(8, 16, 3, padding=1, **settings)
    ours = Conv3d(8, 16, 3, padding=1, **settings)
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


def test_only_plain_convolutions_are_changed():
    class Own(nn.Conv3d):
        pass

    network = nn.Sequential(nn.Conv3d(1, 1, 3), Own(1, 1, 3), nn.Conv2d(1, 1, 3))
    names = list(network.state_dict())
    use_fast_convolutions(network)
    assert [type(each) for each in network] == [Conv3d, Own, nn.Conv2d]
    assert list(network.state_dict()) == names
