"""A scan as a teacher sees it, which is all that has to be kept of it between two requests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume, to_working
from gsema_core.grids.boxes import Box
from gsema_core.intensities.scaling import scale_between
from gsema_core.teachers.card import TeacherCard

LEAST_EXTENT_MM = 8.0
"""A scan thinner than this along any axis shows no artery with an aneurysm on it. Ours."""


@dataclass(frozen=True, eq=False)
class PreparedScan:
    """A scan that is ready for the windows.

    Attributes:
        scan: the scan itself, on whose grid results lie and by whose voxels walls are drawn.
        working: float32 in [0, 1] on the working grid.
        bounds: the scan's intensities that are 0 and 1 on the working grid.
    """

    scan: Volume
    working: Volume
    bounds: tuple[float, float]

    @property
    def geometry(self) -> Geometry:
        """The scan's own grid."""
        return self.scan.geometry

    def scaled(self, box: Box) -> npt.NDArray[np.float32]:
        """Some of the scan's own voxels, with its intensities as on the working grid, unclipped."""
        low, high = self.bounds
        values = self.scan.array[box].astype(np.float32)
        values -= np.float32(low)
        values /= np.float32(high - low) if high > low else np.float32(1)
        return np.asarray(values)


def prepare_scan(volume: Volume, card: TeacherCard) -> PreparedScan:
    """Bring a scan to a teacher's working grid and its intensities to [0, 1].

    Raises:
        UserError: the scan is too thin to be segmented, or has voxels that are not finite.
    """
    _check_extent(volume.geometry)
    working = to_working(volume, card.spacing_mm)
    if not np.isfinite(working.array).all():  # files are checked when read, arrays are not
        raise UserError("The scan has voxels that are not finite numbers: replace them.")
    bounds = card.intensity_rule().bounds(working.array)
    scaled = Volume(scale_between(working.array, *bounds), working.geometry)
    return PreparedScan(volume, scaled, bounds)


def _check_extent(geometry: Geometry) -> None:
    extents = [n * mm for n, mm in zip(geometry.size, geometry.spacing, strict=True)]
    if min(extents) < LEAST_EXTENT_MM:
        size = " x ".join(f"{extent:.1f}" for extent in extents)
        raise UserError(
            f"The scan covers only {size} mm: give a volume of at least {LEAST_EXTENT_MM:g} mm "
            "along each axis."
        )
