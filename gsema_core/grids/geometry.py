"""Where the voxels of a volume lie in the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError

Floats = npt.NDArray[np.float64]
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

GRID_TOLERANCE_MM = 0.01
"""How far voxels may lie apart on what counts as one grid: NIfTI stores directions in float32,
which moves the far corner of a scan by some micrometers. Our choice."""


@dataclass(frozen=True)
class Geometry:
    """The grid of a volume, in ITK's terms.

    Args:
        size: voxels along the axes (i, j, k).
        spacing: distance in mm between neighboring voxel centers along (i, j, k).
        origin: position in mm (LPS) of the center of voxel (0, 0, 0).
        direction: 3 x 3 matrix, row by row; its columns are the axes' unit vectors in LPS.

    Raises:
        ValueError: a wrong number of values, or a size or spacing that is not positive.

    Example:
        >>> grid = Geometry((4, 5, 6), spacing=(0.5, 0.5, 1.0), origin=(10.0, 0.0, 0.0))
        >>> grid.shape, grid.index_to_world((2, 0, 0)).tolist()
        ((6, 5, 4), [11.0, 0.0, 0.0])
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = IDENTITY

    def __post_init__(self) -> None:
        for name, kind, length in (
            ("size", int, 3), ("spacing", float, 3), ("origin", float, 3), ("direction", float, 9)
        ):  # fmt: skip
            values = tuple(kind(value) for value in getattr(self, name))
            if len(values) != length:
                raise ValueError(f"A geometry's {name} has {length} values, not {len(values)}.")
            object.__setattr__(self, name, values)
        if min(self.size) < 1 or not min(self.spacing) > 0:
            raise ValueError(f"Size {self.size} and spacing {self.spacing} must be positive.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape (k, j, i) of a numpy array on this grid."""
        return self.size[2], self.size[1], self.size[0]

    @property
    def voxel_volume_mm3(self) -> float:
        """The volume of one voxel in mm3."""
        return float(np.prod(self.spacing))

    @property
    def direction_matrix(self) -> Floats:
        """The (3, 3) matrix whose columns are the axes' unit vectors."""
        return np.array(self.direction, dtype=np.float64).reshape(3, 3)

    @property
    def center(self) -> tuple[float, float, float]:
        """The middle of the volume in mm (LPS)."""
        x, y, z = self.index_to_world((np.array(self.size) - 1) / 2)
        return float(x), float(y), float(z)

    def index_to_world(self, points: npt.ArrayLike) -> Floats:
        """Turn (N, 3) or (3,) indices (i, j, k), which may be fractions, into mm (LPS)."""
        scaled = np.asarray(points, dtype=np.float64) * self.spacing
        return np.asarray(scaled @ self.direction_matrix.T + self.origin)

    def world_to_index(self, points: npt.ArrayLike) -> Floats:
        """Turn (N, 3) or (3,) positions in mm (LPS) into fractional indices (i, j, k)."""
        offsets = np.asarray(points, dtype=np.float64) - self.origin
        return np.asarray(offsets @ np.linalg.inv(self.direction_matrix).T / self.spacing)

    def is_close(self, other: Geometry, tol: float = 1e-3) -> bool:
        """Whether the grids are the same and no voxel lies more than ``tol`` mm off."""
        if self.size != other.size:
            return False
        last = np.array(self.size) - 1
        corners = np.array(np.meshgrid(*[(0, n) for n in last])).reshape(3, -1).T
        # A one-voxel axis has no second corner, so the point beyond the far one is compared too.
        corners = np.vstack([corners, last + 1])
        offsets = self.index_to_world(corners) - other.index_to_world(corners)
        return bool(np.linalg.norm(offsets, axis=1).max() <= tol)


def check_same_grid(
    one: Geometry,
    other: Geometry,
    what: str,
    partner: str,
    advice: str = "resample one to the other",
) -> None:
    """Check that voxels can be compared one by one.

    Args:
        one, other: the grids.
        what: how the sentence begins: ``The label map FILE``.
        partner: the file that ``other`` belongs to.
        advice: how the sentence ends: what to do.

    Raises:
        UserError: the grids differ; says in what.
    """
    if not one.is_close(other, GRID_TOLERANCE_MM):
        raise UserError(
            f"{what} is not on the grid of {partner} ({_difference(one, other)}): {advice}."
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
