"""Target transforms by name."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

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


def build_transform(names: str | Iterable[str]) -> Transform[Any]:
    """Return the transform of that name with its defaults, or several as a `Sequence`.

    Raises:
        UserError: a name is unknown, or the list is empty.
    """
    if isinstance(names, str):
        return _build(names)
    transforms = [_build(name) for name in names]
    if not transforms:
        raise UserError("The list of target transforms is empty: name one, for example 'none'.")
    return transforms[0] if len(transforms) == 1 else Sequence(transforms)


def _build(name: str) -> Transform[Any]:
    if name not in TRANSFORMS:
        raise UserError(
            f"The target transform {name!r} is unknown, expected one of {', '.join(TRANSFORMS)}."
        )
    module = import_module(f"gsema_core.transforms.{name}")
    transform: Transform[Any] = getattr(module, TRANSFORMS[name])()
    return transform
