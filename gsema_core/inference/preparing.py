"""From a scan and a teacher's card to what its network sees."""

from __future__ import annotations

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.intensities.prepared_scan import PreparedScan, prepare
from gsema_core.teachers.card import TeacherCard

LEAST_EXTENT_MM = 8.0
"""A scan thinner than this along any axis shows no artery with an aneurysm on it. Ours."""


def prepare_scan(volume: Volume, card: TeacherCard) -> PreparedScan:
    """Bring a scan to a teacher's working grid and its intensities to [0, 1].

    Raises:
        UserError: the scan is too thin to be segmented, or has voxels that are not finite.
    """
    _check_extent(volume.geometry)
    return prepare(volume, card.spacing_mm, card.intensity_rule())


def _check_extent(geometry: Geometry) -> None:
    extents = [n * mm for n, mm in zip(geometry.size, geometry.spacing, strict=True)]
    if min(extents) < LEAST_EXTENT_MM:
        size = " x ".join(f"{extent:.1f}" for extent in extents)
        raise UserError(
            f"The scan covers only {size} mm: give a volume of at least {LEAST_EXTENT_MM:g} mm "
            "along each axis."
        )
