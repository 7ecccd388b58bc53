"""Target transforms by name: the program's own, and those from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, Protocol

import torch
from torch import Tensor

from gsema_core import plugins
from gsema_core.errors import UserError
from gsema_core.transforms.base import Transform
from gsema_core.transforms.sequence import Sequence

TRANSFORMS = {
    "none": "NoTransform",
    "paper": "PaperTransform",
    "geometric": "GeometricTransform",
    "intensity": "IntensityTransform",
    "smoothing": "SmoothingTransform",
    "noise": "NoiseTransform",
    "histogram": "HistogramTransform",
    "bias": "BiasTransform",
    "gin": "GinTransform",
    "gin_ipa": "GinIpaTransform",
    "amplitude_mix": "AmplitudeMixTransform",
}
"""Name (also the module's) -> class."""


class TargetTransform(Protocol):
    """What a transform from outside must have; a subclass of `Transform` has all of it.

    It is a class whose keywords are its options. It must be picklable: other processes prepare
    patches. All randomness comes from the generator that ``draw_sample`` is given. Where its
    numbers depend on no voxel, ``draws_unseen = True`` may say so, see `Transform`.

    Attributes:
        needs_donor: whether a patch of another center is needed.
        moves_voxels: whether anatomy may lie elsewhere in the result.
    """

    needs_donor: bool
    moves_voxels: bool

    def draw_sample(self, generator: torch.Generator, image: Tensor, donor: Tensor | None) -> Any:
        """Draw the parameters for one sample ``(1, D, H, W)`` in [0, 1]; picklable."""

    def apply_sample(self, image: Tensor, labels: Tensor, parameters: Any) -> tuple[Tensor, Tensor]:
        """Return image and labels ``(1, D, H, W)``, transformed; the inputs stay as they are."""


def build_transform(
    names: str | Iterable[str], options: Mapping[str, Mapping[str, Any]] | None = None
) -> Transform[Any]:
    """Return the transform of that name, or several as a `Sequence`.

    Args:
        names: the program's own, or ``package.module:Name``.
        options: keywords by the transforms' names; their defaults elsewhere.

    Raises:
        UserError: a name or keyword is unknown, a value makes no sense, or the list is empty.

    Example:
        >>> build_transform(["noise", "bias"], {"bias": {"strength": 0.2}}).transforms[1].strength
        0.2
    """
    names = [names] if isinstance(names, str) else list(names)
    transforms = [_build(name, (options or {}).get(name, {})) for name in names]
    if not transforms:
        raise UserError("The list of target transforms is empty: name one, for example 'none'.")
    return transforms[0] if len(transforms) == 1 else Sequence(transforms)


def find_transform(name: str) -> Any:
    """What makes the transform of that name: a class, whose keywords are its options.

    Raises:
        UserError: there is none.
    """
    if name in TRANSFORMS:
        return getattr(import_module(f"gsema_core.transforms.{name}"), TRANSFORMS[name])
    return plugins.find(name, "transform", TRANSFORMS)


def _build(name: str, options: Mapping[str, Any]) -> Transform[Any]:
    made = plugins.make(name, "transform", find_transform(name), options)
    if isinstance(made, Transform):
        return made
    plugins.check_protocol(made, TargetTransform, name, "transform")
    return Sequence([made])  # which draws and applies by its samples
