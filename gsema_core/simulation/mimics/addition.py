"""What lies in the beam and is not labelled: veins with faint contrast, and metal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Addition:
    """Voxels on the tree's grid, outside its lumen.

    Args:
        kind: "faint": values are contrast over that of the brightest arteries, 0 to 1;
            "metal": they are HU over what is around.
        voxels: (N, 3) indices k, j, i, all within the grid, none twice.
        values: (N,) float32.
        record: JSON values.
    """

    kind: Literal["faint", "metal"]
    voxels: npt.NDArray[np.integer[Any]]
    values: npt.NDArray[np.float32]
    record: dict[str, Any]

    def add_to(self, array: npt.NDArray[np.float32]) -> None:
        """Set the values in a (k, j, i) array on the tree's grid, where they are larger."""
        at = tuple(self.voxels.T)
        array[at] = np.maximum(array[at], self.values)
