"""What every target transform is: parameters drawn first, recorded, then applied."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

import torch
from torch import Tensor

from gsema_core.errors import UserError
from gsema_core.transforms.draws import chance

P = TypeVar("P")
"""The parameters of one sample, what happens to it: a frozen dataclass (picklable)."""

Sample = tuple[Tensor, Tensor]
"""Image ``(C, D, H, W)``, float32 in [0, 1], and labels ``(1, D, H, W)`` of one patch."""


class Transform(ABC, Generic[P]):
    """Makes a target patch ``x_t, y_t`` of a source patch ``x_s, y_s``.

    A subclass says how one sample's parameters are drawn (`draw_one`) and applied (`apply_one`);
    samples of a batch are drawn apart. Only geometry moves the labels.

    Args:
        probability: of acting on a sample; where it does not act, its parameters are None.

    Raises:
        UserError: the probability is not in [0, 1].

    Example:
        >>> from gsema_core.transforms import build_transform
        >>> image, labels = torch.rand(2, 1, 8, 8, 8), torch.zeros(2, 1, 8, 8, 8)
        >>> transform = build_transform("paper")
        >>> parameters = transform.draw(torch.Generator().manual_seed(0), image)
        >>> x_t, y_t = transform.apply(image, labels, parameters)  # the same at every call
    """

    needs_donor: bool = False
    """Whether `draw` must be given a patch of another center."""

    moves_voxels: bool = False
    """Whether anatomy may lie elsewhere in the result, for which the labels move along. Two views
    that such a transform made cannot be compared voxel by voxel."""

    draws_unseen: bool = False
    """Whether the random numbers of `draw` depend on nothing that a patch, or its donor, shows but
    its shape. Of several processes that train together, each then reads its own patches alone."""

    clips: ClassVar[bool] = True
    """Whether the result is clipped to [0, 1]."""

    def __init_subclass__(cls) -> None:
        """A class that draws in another way than its base must say of its own what that needs."""
        super().__init_subclass__()
        own = vars(cls)
        if {"draw_one", "draw_sample", "draw"} & own.keys() and "draws_unseen" not in own:
            cls.draws_unseen = False

    def __init__(self, *, probability: float = 1.0) -> None:
        if not 0.0 <= probability <= 1.0:
            raise UserError(
                f"The transform's probability is {probability}, expected a number from 0 to 1: "
                "choose 1 to transform every patch."
            )
        self.probability = probability

    @abstractmethod
    def draw_one(self, generator: torch.Generator, image: Tensor, donor: Tensor | None) -> P:
        """Draw the parameters for one sample ``(C, D, H, W)``."""

    @abstractmethod
    def apply_one(self, image: Tensor, labels: Tensor, parameters: P) -> Sample:
        """Return the transformed sample; ``image`` is float32 and may not be written to."""

    def draw(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None = None
    ) -> tuple[P | None, ...]:
        """Return the parameters of each sample, which `apply` takes and can take again.

        Args:
            generator: the only source of randomness; a CPU generator keeps runs alike on all
                devices.
            image: ``(B, C, D, H, W)``.
            donor: patches of another center, of the same shape, for transforms whose
                ``needs_donor`` is true; the others ignore it.

        Raises:
            UserError: a donor is needed and not given.
        """
        if donor is not None and donor.shape != image.shape:
            shapes = f"{tuple(donor.shape)} and {tuple(image.shape)}"
            raise ValueError(f"Donor and image must have one shape, got {shapes}.")
        donors = [None] * len(image) if donor is None else list(donor)
        return tuple(
            self.draw_sample(generator, sample, other)
            for sample, other in zip(image, donors, strict=True)
        )

    @torch.no_grad()
    def apply(
        self, image: Tensor, labels: Tensor, parameters: tuple[P | None, ...]
    ) -> tuple[Tensor, Tensor]:
        """Return the transformed image and labels; the inputs stay as they are.

        Args:
            image: ``(B, C, D, H, W)`` in [0, 1], any floating type; computed in float32.
            labels: ``(B, 1, D, H, W)``, any type.
            parameters: as `draw` returned them, one entry a sample.

        Returns:
            ``(image, labels)`` of the same shapes, types and device.
        """
        if not image.is_floating_point():
            raise ValueError(f"The image must be floating point in [0, 1], got {image.dtype}.")
        if image.ndim != 5 or labels.shape[2:] != image.shape[2:]:
            shapes = f"{tuple(image.shape)} and {tuple(labels.shape)}"
            raise ValueError(f"Image and labels must be (B, C, D, H, W) of one size, got {shapes}.")
        samples = zip(image.float(), labels, parameters, strict=True)
        with torch.autocast(device_type=image.device.type, enabled=False):
            images, moved = zip(*(self.apply_sample(*sample) for sample in samples), strict=True)
        return torch.stack(images).to(image.dtype), torch.stack(moved)

    def __call__(
        self,
        image: Tensor,
        labels: Tensor,
        generator: torch.Generator,
        donor: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Draw and apply at once."""
        return self.apply(image, labels, self.draw(generator, image, donor))

    @torch.no_grad()
    def move(self, labels: Tensor, parameters: tuple[P | None, ...]) -> Tensor:
        """The labels as `apply` returns them, without the work on an image.

        Args:
            labels: ``(B, 1, D, H, W)``, any type; also other numbers, such as each voxel's index.
            parameters: as `draw` returned them.
        """
        samples = zip(labels, parameters, strict=True)
        with torch.autocast(device_type=labels.device.type, enabled=False):
            return torch.stack([self.move_sample(*sample) for sample in samples])

    def complement(self, parameters: tuple[P | None, ...]) -> tuple[P | None, ...]:
        """Return the parameters of the other view of the same patches, for CMDG's pairs.

        Here it is the patch as it is, which None stands for.
        """
        return tuple(None for _ in parameters)

    def draw_sample(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None
    ) -> P | None:
        """Draw whether to act on this sample and, if so, how."""
        acts = chance(generator, self.probability)
        return self.draw_one(generator, image, donor) if acts else None

    def apply_sample(self, image: Tensor, labels: Tensor, parameters: P | None) -> Sample:
        """Apply to one float32 sample what `draw_sample` returned."""
        if parameters is None:
            return image, labels
        image, labels = self.apply_one(image, labels, parameters)
        return (image.clamp(0.0, 1.0) if self.clips else image), labels

    def move_sample(self, labels: Tensor, parameters: P | None) -> Tensor:
        """The labels of one sample as `apply_sample` returns them."""
        if parameters is None or not self.moves_voxels:
            return labels
        return self.apply_sample(torch.zeros(labels.shape), labels, parameters)[1]
