"""Simulated clicks on a batch of patches, for a network that takes clicks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gsema_core.clicks import click_channels, first_click, next_click
from gsema_core.datasets.patches import PatchPair
from gsema_core.grids.components import connected_components
from gsema_core.labels import ANEURYSM, IGNORE
from gsema_core.training.config import TrainingConfig

LEAST_MM3 = 1.0
"""Errors that are smaller are not clicked on: a cube of two voxels of 0.5 mm (ours)."""

NEAR_VOXELS = 2.0
"""How far from the place that a transform moved it to a click may be put, where that place was
left out by the resampling; farther away, it moved out of the patch (ours)."""

_CLICKS = 2  # sets this random stream apart from the patches' own

Answer = Callable[[Tensor], NDArray[np.bool_]]
"""From images with clicks (B, 3, D, H, W) to where there are aneurysms (B, D, H, W)."""

Point = NDArray[np.float64]


@dataclass
class _Clicked:
    """A sample while it is clicked.

    Attributes:
        image: (1, D, H, W) the source patch.
        aneurysm: (D, H, W) what is to be found.
        known: (D, H, W) where there is a label.
        clicks: further ones that are wanted.
        inside, outside: the clicks so far.
    """

    image: Tensor
    aneurysm: NDArray[np.bool_]
    known: NDArray[np.bool_]
    further: int = 0
    inside: list[Point] = field(default_factory=list)
    outside: list[Point] = field(default_factory=list)


class ClickedPatches:
    """Adds clicks to batches as a user would make them.

    A share of the samples is clicked. The first click is on one of the patch's aneurysms; each of
    a random number of further ones is on the deepest point of the largest error that the teacher
    makes with the clicks so far. A patch without an aneurysm has no first click: only what the
    teacher takes for one there is clicked, as outside.

    Source and target have the same clicks. Where the transform moved voxels, they move along.

    Everything random comes from the seed, the number of the batch and that of the sample: a run
    that is resumed, or shared by several processes, clicks the same places.

    Args:
        config: of a run whose network takes clicks.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.method = config.method
        self.seed = config.run.seed
        self.spacing = (config.data.spacing_mm,) * 3
        self.width_voxels = config.network.click_width_mm / config.data.spacing_mm

    def add(self, batch: PatchPair, answer: Answer, number: int, first: int = 0) -> PatchPair:
        """The batch with clicks as channels, if any of its samples is clicked.

        Args:
            batch: patches in main memory, one channel each.
            answer: the teacher's.
            number: of the batch among all of the run.
            first: the number of its first sample in the whole batch, which ranks share.

        Returns:
            Images (B, 3, D, H, W), or the batch as it is; and no origin.
        """
        samples = [
            self._begin(image, labels[0].numpy(), [self.seed, number, first + index, _CLICKS])
            for index, (image, labels) in enumerate(
                zip(batch.source_image, batch.source_labels, strict=True)
            )
        ]
        active = samples
        while active := [each for each in active if each.further]:
            self._correct(active, answer)
        if not any(each.inside or each.outside for each in samples):
            return batch._replace(origin=None)
        source = torch.stack([self._with_clicks(each) for each in samples])
        clicks = source[:, 1:]
        if batch.origin is not None:
            origins = zip(samples, batch.origin[:, 0].numpy(), strict=True)
            clicks = torch.stack([self._channels(*_moved(*each)) for each in origins])
        target = torch.cat([batch.target_image, clicks], dim=1)
        return batch._replace(source_image=source, target_image=target, origin=None)

    def _begin(self, image: Tensor, labels: NDArray[np.uint8], seed: Sequence[int]) -> _Clicked:
        """A sample, with its first click where it is a clicked one with an aneurysm."""
        rng = np.random.default_rng(seed)
        method = self.method
        sample = _Clicked(image, labels == ANEURYSM, labels != IGNORE)
        if rng.random() >= method.click_share:
            return sample
        kind = str(rng.choice(method.click_kinds))
        while sample.further < method.further_clicks and rng.random() < method.further_click_share:
            sample.further += 1
        sacs, count = connected_components(sample.aneurysm)
        if count:
            sac = sacs == 1 + rng.integers(count)
            sample.inside.append(first_click(sac, self.spacing, rng, kind))
        else:
            sample.further += 1
        return sample

    def _correct(self, samples: Sequence[_Clicked], answer: Answer) -> None:
        """Click each sample once more, where the answer to its clicks so far is wrong."""
        predicted = answer(torch.stack([self._with_clicks(each) for each in samples]))
        for sample, aneurysm in zip(samples, predicted, strict=True):
            click = next_click(aneurysm & sample.known, sample.aneurysm, self.spacing, LEAST_MM3)
            if click is None:
                sample.further = 0
                continue
            sample.further -= 1
            (sample.inside if click.inside else sample.outside).append(click.point)

    def _with_clicks(self, sample: _Clicked) -> Tensor:
        """(3, D, H, W)."""
        channels = self._channels(sample.image.shape[1:], sample.inside, sample.outside)
        return torch.cat([sample.image, channels])

    def _channels(
        self, shape: Sequence[int], inside: Sequence[Point], outside: Sequence[Point]
    ) -> Tensor:
        """(2, D, H, W)."""
        return torch.from_numpy(click_channels(shape, inside, outside, self.width_voxels))


def _moved(
    sample: _Clicked, origin: NDArray[np.int32]
) -> tuple[tuple[int, ...], list[Point], list[Point]]:
    """The shape of a sample's target, and its clicks there.

    Args:
        sample: with its clicks.
        origin: (D, H, W) the flat index of the source voxel that each target voxel came from.
    """
    inside, outside = (
        [place for point in points if (place := _place(point, origin)) is not None]
        for points in (sample.inside, sample.outside)
    )
    return origin.shape, inside, outside


def _place(point: Point, origin: NDArray[np.int32]) -> Point | None:
    """Where a source voxel lies in the target; None where it moved out of it."""
    found = np.flatnonzero(origin == np.ravel_multi_index(point.astype(int), origin.shape))
    if not len(found):  # resampling left it out, but perhaps not its neighbors
        voxels = np.stack(np.unravel_index(origin.ravel(), origin.shape), axis=-1)
        away = ((voxels - point) ** 2).sum(axis=-1)
        found = np.array([away.argmin()])
        if away.min() > NEAR_VOXELS**2:
            return None
    # An enlarged voxel is there several times, and so is one that the border mirrors.
    return np.array(np.unravel_index(found[len(found) // 2], origin.shape), dtype=np.float64)
