"""Geometric transform: flips and a small rotation and scaling, for image and labels alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gsema_core.errors import UserError
from gsema_core.transforms.base import Sample, Transform
from gsema_core.transforms.draws import chance, log_uniform, not_negative, uniform


@dataclass(frozen=True)
class Affine:
    """A rotation about the patch's center followed by an isotropic scaling."""

    axis: tuple[float, float, float]
    """Unit vector along which the rotation turns, in ``(D, H, W)``."""
    angle_deg: float
    scale: float
    """Above 1 the anatomy grows."""


@dataclass(frozen=True)
class GeometricParameters:
    flips: tuple[bool, bool, bool]
    affine: Affine | None


class GeometricTransform(Transform[GeometricParameters]):
    """Flips any axis; rotates and scales some patches.

    Outside the patch its mirror image is sampled, which continues vessels for image and labels
    alike. Labels take the nearest voxel.

    Args:
        flip_probability: for each axis. 0.5, ours: a head has no preferred side for an aneurysm.
        affine_probability: of rotating and scaling. 0.5, ours: it costs as much as all others.
        max_angle_deg: largest rotation. 15 degrees, ours: how differently heads are positioned.
        max_scale: the scale is log-uniform from ``1 / max_scale`` to ``max_scale``. 1.2, ours:
            aneurysms of the centers differ by more, but resampling blurs what is thin.
        probability: of acting on a sample at all.
    """

    moves_voxels = True
    draws_unseen = True

    def __init__(
        self,
        *,
        flip_probability: float = 0.5,
        affine_probability: float = 0.5,
        max_angle_deg: float = 15.0,
        max_scale: float = 1.2,
        probability: float = 1.0,
    ) -> None:
        super().__init__(probability=probability)
        if not max_scale >= 1.0:
            raise UserError(
                f"The largest scale is {max_scale}, expected 1 or more: choose 1 to keep sizes."
            )
        self.flip_probability = not_negative("flip probability", flip_probability)
        self.affine_probability = not_negative("affine probability", affine_probability)
        self.max_angle_deg = not_negative("largest angle", max_angle_deg)
        self.max_scale = max_scale

    def draw_one(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None
    ) -> GeometricParameters:
        d, h, w = (chance(generator, self.flip_probability) for _ in range(3))
        affine = (
            self._draw_affine(generator) if chance(generator, self.affine_probability) else None
        )
        return GeometricParameters((d, h, w), affine)

    def apply_one(self, image: Tensor, labels: Tensor, parameters: GeometricParameters) -> Sample:
        if axes := [axis for axis, flip in enumerate(parameters.flips, start=1) if flip]:
            image, labels = image.flip(axes), labels.flip(axes)
        if parameters.affine is not None:
            grid = _sampling_grid(parameters.affine, image)
            image = _sample(image, grid, "bilinear")
            labels = _sample(labels.float(), grid, "nearest").to(labels.dtype)
        return image, labels

    def _draw_affine(self, generator: torch.Generator) -> Affine:
        direction = torch.randn(3, generator=generator, device=generator.device)
        d, h, w = nn.functional.normalize(direction, dim=0).tolist()
        return Affine(
            axis=(d, h, w),
            angle_deg=uniform(generator, 0.0, self.max_angle_deg),
            scale=log_uniform(generator, 1.0 / self.max_scale, self.max_scale),
        )


def _sampling_grid(affine: Affine, image: Tensor) -> Tensor:
    """Return where each output voxel is read, ``(1, D, H, W, 3)`` in torch's [-1, 1] frame."""
    d, h, w = affine.axis
    skew = torch.tensor([[0.0, -w, h], [w, 0.0, -d], [-h, d, 0.0]], dtype=torch.float64)
    inverse = torch.linalg.matrix_exp(-math.radians(affine.angle_deg) * skew) / affine.scale
    # Rotate in voxels, not in the frame that is stretched where the sides differ; torch wants
    # the axes as x, y, z, which are W, H, D.
    size = torch.tensor(image.shape[1:], dtype=torch.float64)
    theta = (inverse * size[None, :] / size[:, None]).flip(0, 1)
    theta = nn.functional.pad(theta, (0, 1)).to(image)
    shape = [1, 1, *image.shape[1:]]
    grid: Tensor = nn.functional.affine_grid(theta[None], shape, align_corners=False)
    # Mirror what lies outside, about the border: twice as fast as grid_sample's own reflection.
    return 2.0 * grid.clamp(-1.0, 1.0) - grid


def _sample(values: Tensor, grid: Tensor, mode: str) -> Tensor:
    sampled: Tensor = nn.functional.grid_sample(
        values[None], grid, mode=mode, padding_mode="border", align_corners=False
    )
    return sampled[0]
