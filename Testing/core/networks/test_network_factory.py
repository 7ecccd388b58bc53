"""Networks from outside: what they must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.networks import NetworkConfig, build_network


def test_it_is_built_of_the_configuration_and_its_options(own_network: Any) -> None:
    network = build_network(own_network("own_small_1", width=6))
    assert network(torch.rand(2, 1, 8, 12, 16)).shape == (2, 3, 8, 12, 16)
    assert network.down.out_channels == 6


def test_only_the_form_of_its_name_is_checked_before() -> None:
    assert NetworkConfig("nowhere.at_all:Net").kind == "nowhere.at_all:Net"
    with pytest.raises(UserError, match=r"'vgg': give one of swin_unet, cnn, package\.module:Name"):
        NetworkConfig("vgg")
    with pytest.raises(UserError, match="cnn has no options of its own"):
        NetworkConfig("cnn", options={"width": 3})


def test_a_card_without_options_is_as_it_was() -> None:
    assert "options" not in NetworkConfig("cnn").to_dict()
    config = NetworkConfig("a:B", options={"width": 3})
    assert NetworkConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("nn.Module", "object", r"is no torch\.nn\.Module"),
        ("def decode", "def decoed", "has no decode: see .*Network for what it must have"),
        ("self.multiple = config.multiple", "self.multiple = 3", "another multiple than its 4"),
        ("Encoded(self.down(image), ())", "self.down(image)", "fails for an image|makes Tensor"),
        ("(width, 3,", "(width, 2,", r"logits \(1, 2, 8, 8, 8\) of an image \(1, 1, 8, 8, 8\)"),
        ("return self.decode(self.encode(image))", "return image", "calling it the same|fails"),
        ("width: int = 4", "width: int", r"cannot be made: .*missing 1 required"),
    ],
)
def test_what_is_no_network_is_told(own_network: Any, old: str, new: str, told: str) -> None:
    config = own_network("own_wrong_network")
    path = Path("own_wrong_network.py")
    source = path.read_text()
    assert old in source
    if new == "object":
        source = source.replace("super().__init__()", "pass")
    path.write_text(source.replace(old, new))
    with pytest.raises(UserError, match=told):
        build_network(config)
