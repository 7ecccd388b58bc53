"""Several target transforms, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from gsema_core.transforms.base import Sample, Transform


class Sequence(Transform[tuple[Any, ...]]):
    """Applies transforms in order; a sample's parameters are the tuple of theirs.

    All parameters are drawn before any is applied, from the untransformed patch.

    Args:
        transforms: at least one.
        probability: of acting on a sample at all, see `Transform`.
    """

    clips = False  # each transform keeps its own rule

    def __init__(self, transforms: Iterable[Transform[Any]], *, probability: float = 1.0) -> None:
        super().__init__(probability=probability)
        self.transforms = tuple(transforms)
        self.needs_donor = any(transform.needs_donor for transform in self.transforms)
        self.moves_voxels = any(transform.moves_voxels for transform in self.transforms)
        # Of a transform from outside, nobody knows unless it says so.
        self.draws_unseen = all(getattr(each, "draws_unseen", False) for each in self.transforms)

    def draw_one(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None
    ) -> tuple[Any, ...]:
        return tuple(t.draw_sample(generator, image, donor) for t in self.transforms)

    def apply_one(self, image: Tensor, labels: Tensor, parameters: tuple[Any, ...]) -> Sample:
        """Apply every transform, each clipping by its own rule."""
        for transform, own in zip(self.transforms, parameters, strict=True):
            image, labels = transform.apply_sample(image, labels, own)
        return image, labels

    def move_sample(self, labels: Tensor, parameters: tuple[Any, ...] | None) -> Tensor:
        """Move by those transforms alone that move voxels."""
        if parameters is None:
            return labels
        blank = torch.zeros(labels.shape)
        for transform, own in zip(self.transforms, parameters, strict=True):
            if transform.moves_voxels:
                labels = transform.apply_sample(blank, labels, own)[1]
        return labels
