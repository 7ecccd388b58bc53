"""Whether two volumes can be compared voxel by voxel."""

from __future__ import annotations

import numpy as np

from gsema_core.errors import UserError
from gsema_core.grids.geometry import Geometry

GRID_TOLERANCE_MM = 0.01
"""How far voxels may lie apart on what counts as one grid: NIfTI stores directions in float32,
which moves the far corner of a scan by some micrometers. Our choice."""


def check_same_grid(one: Geometry, other: Geometry, what: str, partner: str) -> None:
    """Check that voxels can be compared one by one.

    Args:
        one, other: the grids.
        what: how the sentence begins: ``The label map FILE``.
        partner: the file that ``other`` belongs to.

    Raises:
        UserError: the grids differ; says in what.
    """
    if not one.is_close(other, GRID_TOLERANCE_MM):
        raise UserError(
            f"{what} is not on the grid of {partner} ({_difference(one, other)}): resample one to "
            "the other."
        )


def _difference(one: Geometry, other: Geometry) -> str:
    if one.size != other.size:
        return f"{_by(one.size)} instead of {_by(other.size)} voxels"
    if not np.allclose(one.spacing, other.spacing, rtol=1e-4):
        return f"spacing {_by(one.spacing)} instead of {_by(other.spacing)} mm"
    offset = float(np.linalg.norm(np.subtract(one.center, other.center)))
    return f"same size and spacing, but centers {offset:.2f} mm apart or axes turned"


def _by(numbers: tuple[float, ...]) -> str:
    return " x ".join(f"{number:g}" for number in numbers)
