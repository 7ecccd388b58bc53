from __future__ import annotations

import pytest
import torch

from gsema_core.networks import NetworkConfig, SegmentationNetwork, build_network

torch.set_num_threads(1)


@pytest.fixture(params=["swin_unet", "cnn"])
def student(request: pytest.FixtureRequest) -> SegmentationNetwork:
    torch.manual_seed(0)
    return build_network(NetworkConfig(request.param, features=8, stages=3, depth=1, window=2))


@pytest.fixture
def patches() -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """Source and target: images in [0, 1] and labels of 0, 1, 2, (2, 1, 32, 32, 32) each."""
    generator = torch.Generator().manual_seed(1)
    shape = (2, 1, 32, 32, 32)
    source = torch.rand(shape, generator=generator)
    labels = (3 * torch.rand(shape, generator=generator)).to(torch.uint8)
    target = (source**2 + 0.1 * torch.rand(shape, generator=generator)).clamp(0, 1)
    return (source, labels), (target, labels)
