from __future__ import annotations

from functools import partial

import pytest
import torch
from monai.networks.nets.swin_unetr import BasicLayer

from gsema_core.errors import UserError
from gsema_core.networks import NetworkConfig, build_network
from gsema_core.networks.faster_layers import use_faster_layers
from gsema_core.networks.swin_stage import SwinStage

torch.set_num_threads(1)

SMALL = {"features": 8, "stages": 3, "depth": 1, "window": 2}


@pytest.fixture(params=["swin_unet", "cnn"])
def network(request):
    torch.manual_seed(0)
    return build_network(NetworkConfig(request.param, **SMALL)).eval()


def test_logits_lie_on_the_grid_of_the_image(network):
    with torch.no_grad():
        assert network(torch.rand(2, 1, 16, 24, 32)).shape == (2, 3, 16, 24, 32)


def test_forward_is_decode_of_encode(network):
    image = torch.rand(1, 1, 16, 16, 16)
    with torch.no_grad():
        assert torch.equal(network(image), network.decode(network.encode(image)))


def test_latent_is_the_deepest_map(network):
    with torch.no_grad():
        encoded = network.encode(torch.rand(1, 1, 16, 16, 16))
    assert encoded.latent.shape == (1, 32, 2, 2, 2)
    assert all(skip.shape[2] > encoded.latent.shape[2] for skip in encoded.skips)


def test_every_weight_is_live(network):
    """A weight without a gradient would be dead freight in every teacher file."""
    network.train()
    network(torch.rand(1, 1, 32, 32, 32)).square().mean().backward()
    dead = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    # A bias before an instance norm changes nothing by construction.
    assert [name for name in dead if not name.endswith("bias")] == []


def test_subvoxels_keep_their_places(network):
    """Where the head copies a subvoxel of the input, it must land where it came from."""
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()
        for subvoxel in range(8):
            network.head.weight[subvoxel, network.config.features + subvoxel, 1, 1, 1] = 1.0
        image = torch.rand(1, 1, 16, 16, 16)
        torch.testing.assert_close(network(image)[:, :1], image)


@pytest.mark.parametrize("size", [(8, 8, 8), (4, 6, 10), (3, 2, 2)])
def test_stage_is_monais(size):
    """Windows that fit, that are padded, and that are larger than the map; with gradients."""
    torch.manual_seed(0)
    settings = {"dim": 8, "depth": 2, "num_heads": 2, "window_size": (4, 4, 4), "qkv_bias": True}
    stage = SwinStage(**settings, drop_path=[0.0, 0.0])
    use_faster_layers(stage)
    reference = BasicLayer(**settings, drop_path=[0.0, 0.0])
    reference.load_state_dict(stage.state_dict())
    maps = torch.randn(2, 8, *size)
    close = partial(torch.testing.assert_close, atol=1e-5, rtol=1e-4)
    for module in (stage, reference):
        module(maps).square().sum().backward()
    close(stage(maps), reference(maps))
    with torch.no_grad():
        close(stage(maps), reference(maps))
    for ours, theirs in zip(stage.parameters(), reference.parameters(), strict=True):
        scale = theirs.grad.abs().max().clamp_min(1.0)
        close(ours.grad / scale, theirs.grad / scale)


def test_a_mask_made_by_inference_serves_training():
    stage = SwinStage(dim=8, depth=2, num_heads=2, window_size=(3, 3, 3), drop_path=[0.0, 0.0])
    maps = torch.randn(1, 8, 6, 6, 6)
    with torch.inference_mode():
        expected = stage(maps)
    result = stage(maps)
    result.sum().backward()
    torch.testing.assert_close(result, expected.clone(), atol=1e-5, rtol=1e-5)
    assert all(each.grad.isfinite().all() for each in stage.parameters() if each.grad is not None)


def test_size_that_is_no_multiple_is_refused(network):
    with pytest.raises(ValueError, match="multiple of 8"):
        network(torch.rand(1, 1, 16, 16, 20))


def test_same_seed_same_network():
    config = NetworkConfig("swin_unet", **SMALL)
    torch.manual_seed(3)
    first = build_network(config).state_dict()
    torch.manual_seed(3)
    second = build_network(config).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_config_round_trip():
    config = NetworkConfig("cnn", features=24, stages=3)
    assert NetworkConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"kind": "vgg"}, "vgg"),
        ({"features": 10**6}, "1000000"),
        ({"features": 12}, "12"),
        ({"depth": 1.5}, "1.5"),
        ({"depth": True}, "True"),
        ({"heads": 3}, "3 heads"),
        ({"heights": 3}, "heights"),
    ],
)
def test_bad_config_is_named(values, named):
    with pytest.raises(UserError, match=named):
        NetworkConfig.from_dict(values)
