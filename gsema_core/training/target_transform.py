"""The transform from source to target that a configuration asks for."""

from __future__ import annotations

from typing import Any

from gsema_core.errors import UserError
from gsema_core.training.config import TrainingConfig
from gsema_core.transforms import Transform, build_transform


def build_target_transform(config: TrainingConfig) -> Transform[Any]:
    """Build the transform, if it fits the losses.

    Raises:
        UserError: it cannot be built; or it moves voxels while predictions on both views of a
            patch are to agree voxel by voxel, which would punish right ones.
    """
    method = config.method
    transform = build_transform(method.transform, config.transforms)
    if method.consistency_weight and transform.moves_voxels:
        names = ", ".join(method.transform)
        raise UserError(
            f"Setting consistency_weight in [method] is {method.consistency_weight:g}, but the "
            f"transform {names} moves voxels, so that both views of a patch cannot agree: set "
            "consistency_weight to 0, or a transform that only changes how a scan looks, such as "
            "gin_ipa."
        )
    return transform
