"""From a scan and a teacher's card to what its network sees."""

from __future__ import annotations

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.intensities.appearance_ranges import unusual
from gsema_core.intensities.prepared_scan import PreparedScan, prepare
from gsema_core.teachers.card import TeacherCard

LEAST_EXTENT_MM = 8.0
"""A scan thinner than this along any axis shows no artery with an aneurysm on it. Ours."""
MOST_EXTENT_MM = 600.0
"""No scanner reconstructs more of a head. Ours; a head in the wrong unit is far larger."""


def prepare_scan(volume: Volume, card: TeacherCard) -> PreparedScan:
    """Bring a scan to a teacher's working grid and its intensities to [0, 1].

    Raises:
        UserError: the scan is too thin to be segmented, larger than a scanner, or has voxels that
            are not finite.
    """
    _check_extent(volume.geometry)
    return prepare(volume, card.spacing_mm, card.intensity_rule())


def doubts(scan: PreparedScan, card: TeacherCard, refuse: bool = True) -> list[str]:
    """What of a scan's appearance is unlike what a teacher was trained on.

    Args:
        scan: the scan.
        card: of a teacher; one that was made before appearances were measured says nothing.
        refuse: whether a scan is refused that looks like no angiography.

    Returns:
        A sentence, or none.

    Raises:
        UserError: it looks like no angiography.
    """
    appearance, trained_on = scan.appearance, card.appearance
    if appearance is None:
        return []
    if appearance.contrast == 0 and refuse:
        raise UserError(
            "Nothing in the scan is brighter than what surrounds it: give a volume with vessels "
            "that are filled with contrast agent."
        )
    if trained_on is None:
        return []
    clauses, impossible = unusual(appearance, trained_on)
    if impossible and refuse:
        raise UserError(
            f"The scan looks like no angiography with contrast agent. Unlike the model's "
            f"training scans, with their range in brackets, it has {'; '.join(impossible)}: give "
            "another volume, or turn off the setting refuse_implausible (--no-refuse)."
        )
    if not clauses:
        return []
    return [
        f"Unlike the model's training scans, with their range in brackets, this one has "
        f"{'; '.join(clauses)}: check the result closely."
    ]


def _check_extent(geometry: Geometry) -> None:
    extents = [n * mm for n, mm in zip(geometry.size, geometry.spacing, strict=True)]
    if min(extents) < LEAST_EXTENT_MM:
        size = " x ".join(f"{extent:.1f}" for extent in extents)
        raise UserError(
            f"The scan covers only {size} mm: give a volume of at least {LEAST_EXTENT_MM:g} mm "
            "along each axis, with voxel sizes in mm."
        )
    if max(extents) > MOST_EXTENT_MM:
        raise UserError(
            f"The scan covers {max(extents):.0f} mm along one axis, where {MOST_EXTENT_MM:.0f} mm "
            "are more than any head: give its voxel sizes in mm, or crop it."
        )
