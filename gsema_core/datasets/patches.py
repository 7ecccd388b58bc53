"""Training patches: pairs of a source patch and its transformed target, drawn by step number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from gsema_core.datasets.cache import CachedVolume
from gsema_core.errors import UserError
from gsema_core.transforms import Transform

_REPLAY = 1  # sets its random stream apart from the patches' own


class PatchPair(NamedTuple):
    """A batch of source patches and their targets, (B, 1, D, H, W) each."""

    source_image: Tensor
    source_labels: Tensor
    target_image: Tensor
    target_labels: Tensor

    def to(self, device: torch.device) -> PatchPair:
        return PatchPair(*(each.to(device, non_blocking=True) for each in self))


@dataclass(frozen=True)
class PatchSampler:
    """Chooses where patches lie.

    Small aneurysms would hardly be seen by uniform sampling: a share of the patches is centered
    on an aneurysm voxel moved by up to a third of the patch; half of the others on a vessel
    voxel, the rest anywhere.

    Attributes:
        patch: (D, H, W) voxels.
        aneurysm_share: probability of a patch near an aneurysm.
        random_orientation: flip and permute axes (cubic patches only are permuted).
    """

    patch: tuple[int, int, int]
    aneurysm_share: float
    random_orientation: bool

    def draw(
        self, volume: CachedVolume, random: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return image and labels of one patch.

        Volumes that are too small are continued by their mirror images, as in inference.
        """
        whole = volume.image  # opened once
        start = self._start(volume, whole.shape, random)
        image = _crop(whole, start, self.patch).astype(np.float32)
        labels = _crop(volume.labels, start, self.patch).astype(np.uint8)
        if self.random_orientation:
            image, labels = _reorient(image, labels, random)
        return np.ascontiguousarray(image), np.ascontiguousarray(labels)

    def _start(
        self, volume: CachedVolume, whole: tuple[int, int, int], random: np.random.Generator
    ) -> NDArray[np.int64]:
        size, shape, reach = np.array(self.patch), np.array(whole), np.array(self.patch) // 3
        choice = random.random()
        if choice < self.aneurysm_share and len(volume.aneurysm_voxels):
            anchors = volume.aneurysm_voxels
        elif choice < (1 + self.aneurysm_share) / 2 and len(volume.vessel_voxels):
            anchors = volume.vessel_voxels
        else:
            return np.asarray(random.integers(0, np.maximum(shape - size, 0) + 1))
        anchor = anchors[random.integers(len(anchors))]
        start = anchor - size // 2 + random.integers(-reach, reach + 1)
        return np.asarray(np.clip(start, 0, np.maximum(shape - size, 0)))


@dataclass(eq=False)
class PatchDataset(Dataset[PatchPair]):
    """Item ``n`` is the batch of micro-step ``n``, whichever process or order asks for it.

    Everything random in it comes from ``(seed, n)``: a run that is resumed at step ``n``, or has
    more worker processes, sees the very same patches.

    Args:
        volumes: where patches are drawn from.
        sampler: chooses them.
        transform: makes the target patches.
        batch_size: patches of a batch, over all ranks.
        seed: of everything random.
        share: the samples of the batch that this rank makes; all by default.
        two_views: make the source a view too, the complement of the target's (CMDG).
        replay: volumes that shall not be forgotten.
        replay_share: probability of a patch from ``replay``; 0 changes no other draw.

    Raises:
        UserError: the transform needs patches of another center, and there is only one.
    """

    volumes: Sequence[CachedVolume]
    sampler: PatchSampler
    transform: Transform[Any]
    batch_size: int
    seed: int
    share: slice = field(default_factory=lambda: slice(None))
    two_views: bool = False
    replay: Sequence[CachedVolume] = ()
    replay_share: float = 0.0

    def __post_init__(self) -> None:
        self.everything = [*self.volumes, *(self.replay if self.replay_share else ())]
        centers = {volume.case.center for volume in self.everything}
        if self.transform.needs_donor and len(centers) < 2:
            raise UserError(
                "The target transform mixes in patches of another center and all cases are of one: "
                "train on cases of two or more centers, or choose another transform."
            )

    def __getitem__(self, step: int) -> PatchPair:
        random = np.random.default_rng([self.seed, step])
        cases = random.integers(len(self.volumes), size=self.batch_size)
        if self.replay_share:
            cases = self._with_replay(cases, step)
        drawn = [self.sampler.draw(self.everything[case], random) for case in cases]
        image = torch.from_numpy(np.stack([each[0] for each in drawn]))[:, None]
        labels = torch.from_numpy(np.stack([each[1] for each in drawn]))[:, None]
        donor = self._donors(cases, random) if self.transform.needs_donor else None
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        # Drawn for the whole batch, so that it is the same however ranks share it.
        parameters = self.transform.draw(generator, image, donor)[self.share]
        image, labels = image[self.share], labels[self.share]
        target = self.transform.apply(image, labels, parameters)
        if self.two_views:
            complement = self.transform.complement(parameters)
            image, labels = self.transform.apply(image, labels, complement)
        return PatchPair(image, labels, *target)

    def _with_replay(self, cases: NDArray[np.int64], step: int) -> NDArray[np.int64]:
        """Put cases of the replay in place of a share; a stream of its own draws them."""
        random = np.random.default_rng([self.seed, step, _REPLAY])
        chosen = random.random(len(cases)) < self.replay_share
        own, count = len(self.volumes), len(self.everything)
        return np.where(chosen, random.integers(own, count, len(cases)), cases)

    def _donors(self, cases: NDArray[np.int64], random: np.random.Generator) -> Tensor:
        """A patch of another center for each case, (B, 1, D, H, W)."""
        images = []
        for case in cases:
            center = self.everything[case].case.center
            others = [each for each in self.everything if each.case.center != center]
            images.append(self.sampler.draw(others[random.integers(len(others))], random)[0])
        return torch.from_numpy(np.stack(images))[:, None]


def _crop(
    array: NDArray[np.generic], start: NDArray[np.int64], size: tuple[int, int, int]
) -> NDArray[np.generic]:
    region = array[tuple(slice(s, s + n) for s, n in zip(start, size, strict=True))]
    missing = [(0, n - m) for n, m in zip(size, region.shape, strict=True)]
    if not any(after for _, after in missing):
        return region
    return np.pad(region, missing, mode="symmetric")


def _reorient(
    image: NDArray[np.float32], labels: NDArray[np.uint8], random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    axes = tuple(random.permutation(3)) if len(set(image.shape)) == 1 else (0, 1, 2)
    flips = tuple(axis for axis in range(3) if random.random() < 0.5)
    return np.flip(image.transpose(axes), flips), np.flip(labels.transpose(axes), flips)
