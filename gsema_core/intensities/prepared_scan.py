"""A scan on the working grid in [0, 1]: the one way there, in training and in use."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume, to_working
from gsema_core.grids.boxes import Box
from gsema_core.intensities.appearance import appearance_of
from gsema_core.intensities.appearance_ranges import Appearance
from gsema_core.intensities.image_only import only_image
from gsema_core.intensities.scaling import IntensityRule, scale_between


@dataclass(frozen=True, eq=False)
class PreparedScan:
    """A scan as a network sees it.

    Attributes:
        scan: the scan itself, where values that are no image were replaced. Results lie on its
            grid, and walls are drawn by its voxels.
        working: float32 in [0, 1] on the working grid.
        bounds: the two intensities of the scan that became 0 and 1 on the working grid.
        notes: what the user should know about its intensities, one sentence each.
        appearance: what it looks like; None if that was not measured.
    """

    scan: Volume
    working: Volume
    bounds: tuple[float, float]
    notes: tuple[str, ...] = ()
    appearance: Appearance | None = None

    @property
    def geometry(self) -> Geometry:
        """The scan's own grid."""
        return self.scan.geometry

    def scaled(self, box: Box) -> npt.NDArray[np.float32]:
        """Scale some of the scan's own voxels as on the working grid, without clipping."""
        low, high = self.bounds
        values = self.scan.array[box].astype(np.float32)
        values -= np.float32(low)
        values /= np.float32(high - low) if high > low else np.float32(1)
        return np.asarray(values)


def prepare(volume: Volume, spacing_mm: float, rule: IntensityRule) -> PreparedScan:
    """Bring a scan to the working grid and its intensities to [0, 1].

    Raises:
        UserError: it has voxels that are not finite.
    """
    if not np.isfinite(volume.array).all():  # files are checked when read, arrays are not
        raise UserError("The scan has voxels that are not finite numbers: replace them.")
    image = only_image(volume.array)
    scan = replace(volume, array=image.array)  # still of its DICOM series
    working = to_working(scan, spacing_mm)
    bounds = rule.bounds(working.array, image.fill_share)
    scaled = Volume(scale_between(working.array, *bounds), working.geometry)
    appearance = appearance_of(scaled.array, spacing_mm, volume.geometry)
    return PreparedScan(scan, scaled, bounds, image.notes, appearance)
