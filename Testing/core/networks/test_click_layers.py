"""Networks with click channels: what no click, and a click, changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from gsema_core.errors import UserError
from gsema_core.networks import NetworkConfig, build_network
from gsema_core.networks.click_layers import with_click_weights

PLAIN = NetworkConfig("cnn", features=16, stages=3, depth=1, window=2)


@pytest.fixture(params=["swin_unet", "cnn"])
def pair(request: Any) -> tuple[nn.Module, nn.Module]:
    """A network, and the same one grown by click channels."""
    config = replace(PLAIN, kind=request.param)
    torch.manual_seed(0)
    plain = build_network(config).eval()
    clicked = build_network(replace(config, click_width_mm=1.5)).eval()
    clicked.load_state_dict(with_click_weights(plain.state_dict(), clicked))
    return plain, clicked


def clicks(image: torch.Tensor) -> torch.Tensor:
    return torch.cat([image, torch.rand(len(image), 2, *image.shape[2:])], dim=1)


def test_a_grown_network_answers_as_before_to_the_bit(pair: tuple[nn.Module, nn.Module]) -> None:
    plain, clicked = pair
    image = torch.rand(2, 1, 16, 16, 24)
    with torch.no_grad():
        assert torch.equal(plain(image), clicked(image))
        untrained = clicked(clicks(image))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(plain(image), clicked(image))
    torch.testing.assert_close(untrained, plain(image), atol=1e-5, rtol=1e-4)
    assert sum(p.numel() for p in clicked.parameters()) - sum(
        p.numel() for p in plain.parameters()
    ) == 2 * 16 * (27 if plain.config.kind == "cnn" else 28)


def test_clicks_are_learned_and_no_click_is_zero_clicks(
    pair: tuple[nn.Module, nn.Module],
) -> None:
    network = pair[1]
    image = torch.rand(1, 1, 16, 16, 16)
    network(clicks(image)).square().mean().backward()
    firsts = [w.grad for w in network.body.parameters() if w.ndim == 5 and w.shape[1] == 10]
    assert firsts
    assert all(grad[:, 8:].flatten(1).abs().sum(1).min() > 0 for grad in firsts)
    with torch.no_grad():
        for weight in network.body.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
        empty = torch.cat([image, torch.zeros(1, 2, 16, 16, 16)], dim=1)
        torch.testing.assert_close(network(empty), network(image), atol=1e-5, rtol=1e-4)
        assert (network(clicks(image)) - network(image)).abs().max() > 1e-2


def test_clicks_begin_at_zero_in_a_network_from_scratch() -> None:
    network = build_network(replace(PLAIN, click_width_mm=1.5)).eval()
    image = torch.rand(1, 1, 16, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(network(clicks(image)), network(image), atol=1e-5, rtol=1e-4)


def test_other_channels_are_refused(pair: tuple[nn.Module, nn.Module]) -> None:
    plain, clicked = pair
    with pytest.raises(ValueError, match="3 channels, expected 1"):
        plain(torch.rand(1, 3, 16, 16, 16))
    with pytest.raises(ValueError, match="2 channels, expected 1 or 3"):
        clicked(torch.rand(1, 2, 16, 16, 16))


def test_only_click_channels_can_be_added(pair: tuple[nn.Module, nn.Module]) -> None:
    plain, clicked = pair
    weights = dict(plain.state_dict())
    weights["head.bias"] = torch.zeros(2)
    with pytest.raises(
        ValueError, match=r"head\.bias have the shape \(2,\), and \(24,\) with clicks"
    ):
        with_click_weights(weights, clicked)
    with pytest.raises(ValueError, match="the weights weight are not there"):
        with_click_weights({"head.weight": plain.head.weight}, clicked.head)


def test_the_width_is_told_where_there_are_clicks_alone() -> None:
    assert "click_width_mm" not in PLAIN.to_dict()
    with_clicks = replace(PLAIN, click_width_mm=1.5)
    assert with_clicks.to_dict()["click_width_mm"] == 1.5
    assert NetworkConfig.from_dict(with_clicks.to_dict()) == with_clicks


def test_a_network_of_ones_own_must_take_clicks_where_they_are_asked_for(
    own_network: Any,
) -> None:
    config = replace(own_network("own_clicked"), click_width_mm=1.5)
    with pytest.raises(UserError, match=r"fails for an image \(1, 3, 8, 8, 8\)"):
        build_network(config)
    path = Path("own_clicked.py")
    source = path.read_text()
    path.write_text(source.replace("self.down(image)", "self.down(image[:, :1])"))
    assert _fresh(config)(torch.rand(1, 3, 8, 8, 8)).shape == (1, 3, 8, 8, 8)
    path.write_text(source.replace("self.down(image)", "self.down(image[:, :1]) + image.shape[1]"))
    with pytest.raises(UserError, match="let an image of one channel mean that nobody clicked"):
        _fresh(config)


def _fresh(config: NetworkConfig) -> Any:
    import importlib
    import sys

    sys.modules.pop("own_clicked", None)
    importlib.invalidate_caches()
    return build_network(config)
