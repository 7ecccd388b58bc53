"""The paper's target transform as a whole."""

from __future__ import annotations

import time

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.transforms import PaperTransform


def test_zero_strength_is_identity(image, labels) -> None:
    transform = PaperTransform(strength=0.0)
    for part in transform.transforms:
        part.probability = 1.0
    for seed in range(5):
        out, moved = transform(image, labels, torch.Generator().manual_seed(seed))
        torch.testing.assert_close(out, image, rtol=0, atol=2e-6)
        assert torch.equal(moved, labels)


def test_has_the_papers_kinds_in_its_order() -> None:
    kinds = [type(part).__module__.rsplit(".", 1)[1] for part in PaperTransform().transforms]
    assert kinds == ["geometric", "intensity", "smoothing", "noise", "histogram", "bias"]


def test_more_strength_moves_further(image, labels) -> None:
    def distance(strength: float) -> float:
        generator = torch.Generator().manual_seed(3)
        transform = PaperTransform(strength=strength)
        transform.transforms[0].probability = 0.0  # appearance only: flips outweigh it
        many = image[:1].repeat(40, 1, 1, 1, 1)
        out, _ = transform(many, labels[:1].repeat(40, 1, 1, 1, 1), generator)
        return float((out - many).abs().mean())

    assert distance(0.3) < distance(1.0)
    assert distance(1.0) > 0.05


def test_vessels_stay_visible(image, labels) -> None:
    """Strong, but not so that the label would be a lie: structures stay brighter than ground."""
    many, many_labels = (x[:1].repeat(60, 1, 1, 1, 1) for x in (image, labels))
    out, moved = PaperTransform()(many, many_labels, torch.Generator().manual_seed(5))
    inside = torch.stack([x[y > 0].mean() for x, y in zip(out, moved, strict=True)])
    outside = torch.stack([x[y == 0].mean() for x, y in zip(out, moved, strict=True)])
    assert (inside > outside + 0.05).all()


def test_negative_strength_is_explained() -> None:
    with pytest.raises(UserError, match="strength of the target transform is -1"):
        PaperTransform(strength=-1)


def test_a_patch_is_cheap(generator) -> None:
    """A 64^3 patch takes about 10 ms on one core; ten times that would slow training down."""
    image, labels = torch.rand(8, 1, 64, 64, 64), torch.zeros(8, 1, 64, 64, 64)
    transform = PaperTransform()
    transform(image, labels, generator)
    start = time.process_time()
    transform(image, labels, generator)
    assert (time.process_time() - start) / len(image) < 0.1
