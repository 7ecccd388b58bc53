"""From the shares of a whole scan to its labels: the steps of this package, in their order."""

from __future__ import annotations

import numpy as np

from gsema_core.grids import Geometry, Volume
from gsema_core.inference.click.points import describe
from gsema_core.inference.deciding.certainty import Dropped, drop_uncertain_aneurysms
from gsema_core.inference.deciding.cleaning import postprocess
from gsema_core.inference.deciding.original_grid import (
    probabilities_to_labels,
    probability_to_original,
)
from gsema_core.inference.deciding.walls import find_wall
from gsema_core.inference.monitor import Monitor
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.inference.shares import Shares, full_share
from gsema_core.intensities.prepared_scan import PreparedScan
from gsema_core.labels import ANEURYSM

WORTH_A_LOOK = 0.4
"""Mean probability from where on what was left out is told: of 24 simulated scans on one. Ours."""


def decide(
    shares: Shares, scan: PreparedScan, settings: SegmentationSettings, monitor: Monitor
) -> tuple[Volume, Volume | None, list[str]]:
    """Decide what every voxel of a scan is.

    Args:
        shares: (2, k, j, i) of vessel and aneurysm on the working grid; changed in place.
        scan: what was looked at.
        settings: certainty, threshold, walls, smallest sizes, and whether probabilities are wanted.
        monitor: progress, cancelling and seconds.

    Returns:
        Labels, and the aneurysm's probability where it is wanted, on the scan's grid; and a
        sentence about each aneurysm that was left out as uncertain.

    Raises:
        Cancelled: the monitor says so.
    """
    with monitor.phase("restore"):
        probability = None
        if settings.probabilities:
            grids = scan.working.geometry, scan.geometry
            probability = probability_to_original(shares[ANEURYSM - 1], *grids)
        notes = []
        if settings.aneurysm_threshold is None:
            dropped = drop_uncertain_aneurysms(shares, settings.minimum_certainty)
            notes = _told(dropped, scan.working.geometry, settings)
        labels = _drawn(shares, scan, settings)
    with monitor.phase("clean"):
        labels = postprocess(
            labels,
            minimum_aneurysm_mm3=settings.minimum_aneurysm_mm3,
            minimum_vessel_mm3=settings.minimum_vessel_mm3,
        )
    return labels, probability, notes


def _told(dropped: list[Dropped], working: Geometry, settings: SegmentationSettings) -> list[str]:
    """What was left out and may be an aneurysm all the same, as a click would show."""
    found = []
    for one in dropped:
        mm3 = one.voxels * working.voxel_volume_mm3
        if one.mean >= WORTH_A_LOOK and mm3 >= settings.minimum_aneurysm_mm3:
            x, y, z = working.index_to_world(np.array(one.center_ijk))
            found.append(
                f"A possible aneurysm of about {mm3:.1f} mm³ at {describe((x, y, z))} was "
                f"taken for vessel: its mean probability is {one.mean:.2f}, and "
                f"{settings.minimum_certainty:g} is asked for. Look there."
            )
    return found


def _drawn(shares: Shares, scan: PreparedScan, settings: SegmentationSettings) -> Volume:
    """The labels on the scan's grid; what walls are found by is gone when they are cleaned."""
    working, walls = scan.working, None
    if settings.draws_walls:
        lumen = shares.sum(axis=0, dtype=np.float32)
        lumen /= np.float32(full_share(shares))
        walls = find_wall(lumen, working.array, working.geometry.spacing[0]), scan.scaled
        del lumen
    return probabilities_to_labels(
        shares, working.geometry, scan.geometry, settings.aneurysm_threshold, walls
    )
