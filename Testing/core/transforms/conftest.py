"""Fixtures of this folder."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Two cores serve everything: a test takes one."""
    torch.set_num_threads(1)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(20240)


SIZE = (20, 16, 24)


def _blobs(generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """One patch with two bright balls (vessel 1, aneurysm 2) on a textured ground."""
    axes = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in SIZE), indexing="ij")
    labels = torch.zeros(SIZE, dtype=torch.uint8)
    for value, center, radius in ((1, (6, 8, 7), 3.5), (2, (13, 7, 15), 4.5)):
        squares = sum((a - c) ** 2 for a, c in zip(axes, center, strict=True))
        labels[squares <= radius**2] = value
    ground = 0.1 + 0.2 * torch.rand(SIZE, generator=generator)
    image = torch.where(labels > 0, 0.6 + 0.2 * (labels == 2).float(), ground)
    return image[None], labels[None]


@pytest.fixture
def image(generator: torch.Generator) -> torch.Tensor:
    """A batch ``(3, 1, 20, 16, 24)`` of one patch three times, in [0, 1]."""
    return _blobs(generator)[0].expand(3, 1, *SIZE).clone()


@pytest.fixture
def labels(generator: torch.Generator) -> torch.Tensor:
    return _blobs(generator)[1].expand(3, 1, *SIZE).clone()


@pytest.fixture
def donor() -> torch.Tensor:
    """Patches of another center, as large as `image`."""
    return torch.rand(3, 1, *SIZE, generator=torch.Generator().manual_seed(7)) ** 2
