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
from gsema_core.labels import IGNORE
from gsema_core.transforms import Transform

TRIES = 1000
"""Voxels that are looked at for one with a label, before all of a volume's are; ours."""

_REPLAY = 1  # sets its random stream apart from the patches' own


class Place(NamedTuple):
    """Where a patch lies and how it is turned, drawn without a look at any voxel.

    Attributes:
        near: the volume's list of voxels and the index there that the patch is centered on; None
            where the offset alone says where it begins.
        offset: (3,) voxels, of the patch's center from that voxel, or of its start.
        axes, flips: the order of the axes, then those that are flipped.
    """

    near: tuple[str, int] | None
    offset: NDArray[np.int64]
    axes: tuple[int, ...]
    flips: tuple[int, ...]


class PatchPair(NamedTuple):
    """A batch of source patches and their targets, (B, 1, D, H, W) each.

    Images have two more channels where a user clicked: clicks inside aneurysms, and outside.
    ``origin``, where it is wanted, has the flat index of the source voxel that each target voxel
    came from; None means from the same place.
    """

    source_image: Tensor
    source_labels: Tensor
    target_image: Tensor
    target_labels: Tensor
    origin: Tensor | None = None

    @property
    def has_ignored(self) -> bool:
        """Whether any voxel has `labels.IGNORE`; asked before the patches go to a device."""
        return IGNORE in (int(self.source_labels.max()), int(self.target_labels.max()))

    def to(self, device: torch.device) -> PatchPair:
        """The patches on a device, without their origin."""
        four = (self.source_image, self.source_labels, self.target_image, self.target_labels)
        return PatchPair(*(each.to(device, non_blocking=True) for each in four))


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
        """Return image and labels of one patch, see `place` and `cut`."""
        return self.cut(volume, self.place(volume, random))

    def place(self, volume: CachedVolume, random: np.random.Generator) -> Place:
        """Draw where a patch lies; no file is opened."""
        near, offset = self._where(volume, random)
        axes, flips = self._orientation(random) if self.random_orientation else ((0, 1, 2), ())
        return Place(near, offset, axes, flips)

    def cut(
        self, volume: CachedVolume, place: Place
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Read image and labels of a patch, (D, H, W) both.

        Volumes that are too small are continued by their mirror images, as in inference. Where
        nobody labeled a voxel of the patch, which would teach nothing, it is moved to one that has
        a label.
        """
        whole = volume.image  # opened once
        start, size = place.offset, np.array(self.patch)
        if place.near:
            name, index = place.near
            anchor = getattr(volume, name)[index]
            start = anchor - size // 2 + place.offset
            start = np.clip(start, 0, np.maximum(np.array(whole.shape) - size, 0))
        labels = _crop(volume.labels, start, self.patch).astype(np.uint8)
        if labels.flat[0] == IGNORE and (labels == IGNORE).all():
            start = self._around_labeled(volume.labels, np.random.default_rng(start))
            labels = _crop(volume.labels, start, self.patch).astype(np.uint8)
        image = _crop(whole, start, self.patch).astype(np.float32)
        image = np.flip(image.transpose(place.axes), place.flips)
        labels = np.flip(labels.transpose(place.axes), place.flips)
        return np.ascontiguousarray(image), np.ascontiguousarray(labels)

    def _where(
        self, volume: CachedVolume, random: np.random.Generator
    ) -> tuple[tuple[str, int] | None, NDArray[np.int64]]:
        size = np.array(self.patch)
        choice = random.random()
        if choice < self.aneurysm_share and volume.shape("aneurysm_voxels")[0]:
            name = "aneurysm_voxels"
        elif choice < (1 + self.aneurysm_share) / 2 and volume.shape("vessel_voxels")[0]:
            name = "vessel_voxels"
        else:
            free = np.maximum(np.array(volume.shape("image")) - size, 0)
            return None, np.asarray(random.integers(0, free + 1))
        index, reach = int(random.integers(volume.shape(name)[0])), size // 3
        return (name, index), np.asarray(random.integers(-reach, reach + 1))

    def _around_labeled(
        self, labels: NDArray[np.uint8], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """The start of a patch that has a voxel that is not ignored."""
        size, shape = np.array(self.patch), np.array(labels.shape)
        for _ in range(TRIES):
            voxel = random.integers(shape)
            if labels[tuple(voxel)] != IGNORE:
                break
        else:
            known = np.flatnonzero(labels != IGNORE)
            voxel = np.array(np.unravel_index(random.choice(known), labels.shape))
        start = voxel - random.integers(size)
        return np.asarray(np.clip(start, 0, np.maximum(shape - size, 0)))

    def _orientation(self, random: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
        cubic = len(set(self.patch)) == 1
        axes = tuple(random.permutation(3).tolist()) if cubic else (0, 1, 2)
        return axes, tuple(axis for axis in range(3) if random.random() < 0.5)


@dataclass(eq=False)
class PatchDataset(Dataset[PatchPair]):
    """Item ``n`` is the batch of micro-step ``n``, whichever process or order asks for it.

    Everything random in it comes from ``(seed, n)``: a run that is resumed at step ``n``, or
    has more worker processes, sees exactly the same patches.

    Args:
        volumes: where patches are drawn from.
        sampler: chooses them.
        transform: makes the target patches.
        batch_size: patches of a batch, over all ranks.
        seed: of everything random.
        share: the samples of the batch that this rank makes; all by default.
        two_views: make the source a view too, the complement of the target's (CMDG).
        replay: volumes of an earlier training, so that less is forgotten.
        replay_share: probability of a patch from ``replay``; 0 changes no other draw.
        with_origin: tell where target voxels came from, if the transform moves them.

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
    with_origin: bool = False

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
        volumes = [self.everything[case] for case in cases]
        patches = [(each, self.sampler.place(each, random)) for each in volumes]
        donors = self._donors(volumes, random) if self.transform.needs_donor else None
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        # All ranks draw the same numbers, and each reads the voxels of its own patches alone.
        own = range(self.batch_size)[self.share]
        first = own.start if self.transform.draws_unseen else 0
        drawn = [self.sampler.cut(*each) for each in patches[first : own.stop]]
        image = torch.from_numpy(np.stack([each[0] for each in drawn]))[:, None]
        labels = torch.from_numpy(np.stack([each[1] for each in drawn]))[:, None]
        if first:
            unseen = torch.zeros(()).expand(first, *image.shape[1:])
            self.transform.draw(generator, unseen, None if donors is None else unseen)
        donor = None if donors is None else self._images(donors[first : own.stop])
        parameters = self.transform.draw(generator, image, donor)[own.start - first :]
        image, labels = image[own.start - first :], labels[own.start - first :]
        target = self.transform.apply(image, labels, parameters)
        if self.two_views:
            complement = self.transform.complement(parameters)
            image, labels = self.transform.apply(image, labels, complement)
        moves = self.with_origin and self.transform.moves_voxels
        origin = self._origin(labels, target[1], parameters) if moves else None
        return PatchPair(image, labels, *target, origin)

    def _origin(self, labels: Tensor, moved: Tensor, parameters: tuple[Any, ...]) -> Tensor:
        """The flat index of the source voxel that each target voxel came from.

        Raises:
            UserError: the transform makes labels of more than one voxel, so that no voxel is known.
        """
        count = labels[0].numel()
        index = torch.arange(count, dtype=torch.int32).view(labels.shape[1:]).expand_as(labels)
        origin = self.transform.move(index, parameters)
        flat = origin.flatten(1).long()
        known = bool(((flat >= 0) & (flat < count)).all())
        if not known or not torch.equal(labels.flatten(1).gather(1, flat), moved.flatten(1)):
            raise UserError(
                "The target transform does not take each voxel's label from one voxel, so that "
                "clicks cannot move along: let it move labels to the nearest voxel, or set "
                "click_width_mm in [network] to 0."
            )
        return origin

    def _with_replay(self, cases: NDArray[np.int64], step: int) -> NDArray[np.int64]:
        """Put cases of the replay in place of a share; a stream of its own draws them."""
        random = np.random.default_rng([self.seed, step, _REPLAY])
        chosen = random.random(len(cases)) < self.replay_share
        own, count = len(self.volumes), len(self.everything)
        return np.where(chosen, random.integers(own, count, len(cases)), cases)

    def _donors(
        self, volumes: Sequence[CachedVolume], random: np.random.Generator
    ) -> list[tuple[CachedVolume, Place]]:
        """Where a patch of another center lies, for each volume."""
        placed = []
        for volume in volumes:
            others = [e for e in self.everything if e.case.center != volume.case.center]
            donor = others[random.integers(len(others))]
            placed.append((donor, self.sampler.place(donor, random)))
        return placed

    def _images(self, patches: Sequence[tuple[CachedVolume, Place]]) -> Tensor:
        """(B, 1, D, H, W)."""
        return torch.from_numpy(np.stack([self.sampler.cut(*each)[0] for each in patches]))[:, None]


def _crop(
    array: NDArray[np.generic], start: NDArray[np.int64], size: tuple[int, int, int]
) -> NDArray[np.generic]:
    region = array[tuple(slice(s, s + n) for s, n in zip(start, size, strict=True))]
    missing = [(0, n - m) for n, m in zip(size, region.shape, strict=True)]
    if not any(after for _, after in missing):
        return region
    return np.pad(region, missing, mode="symmetric")
