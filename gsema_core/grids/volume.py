"""A voxel array together with its geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import SimpleITK as sitk

from gsema_core.grids.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Volume:
    """An image or a label map.

    Args:
        array: voxels in (k, j, i) order, as SimpleITK gives them.
        geometry: where they lie.

    Raises:
        ValueError: the array's shape is not the geometry's.

    Example:
        >>> import numpy as np
        >>> labels = Volume(np.zeros((6, 5, 4), np.uint8), Geometry((4, 5, 6)))
        >>> labels.array.shape == labels.geometry.shape
        True
    """

    array: npt.NDArray[Any]
    geometry: Geometry

    def __post_init__(self) -> None:
        if self.array.shape != self.geometry.shape:
            raise ValueError(
                f"The array's shape {self.array.shape} is not the grid's {self.geometry.shape}."
            )

    @classmethod
    def from_image(cls, image: sitk.Image) -> Volume:
        """Copy a 3D scalar SimpleITK image."""
        grid = image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection()
        return cls(sitk.GetArrayFromImage(image), Geometry(*grid))

    def to_image(self) -> sitk.Image:
        """Copy into a SimpleITK image; bool becomes uint8, float16 float32 (ITK has neither)."""
        stand_in = {"bool": "uint8", "float16": "float32"}.get(self.array.dtype.name)
        image = sitk.GetImageFromArray(self.array.astype(stand_in) if stand_in else self.array)
        image.SetSpacing(self.geometry.spacing)
        image.SetOrigin(self.geometry.origin)
        image.SetDirection(self.geometry.direction)
        return image
