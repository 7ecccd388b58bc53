"""A teacher on a device, ready to segment one scan after the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from gsema_core.errors import UserError
from gsema_core.inference.devices import resolve_device, thread_limit
from gsema_core.inference.monitor import Monitor
from gsema_core.inference.postprocessing import postprocess
from gsema_core.inference.report import provenance
from gsema_core.inference.result import SegmentationResult
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.inference.sliding_window import predict_windows
from gsema_core.labels import ANEURYSM
from gsema_core.measurements import measure_aneurysms
from gsema_core.teachers import Teacher
from gsema_core.volumes import (
    Geometry,
    Volume,
    probabilities_to_labels,
    probability_to_original,
    to_working,
)

LEAST_EXTENT_MM = 8.0
"""A scan thinner than this along any axis shows no artery with an aneurysm on it. Ours."""


class Segmenter:
    """Segments scans with one teacher; keep it to load the teacher only once.

    Args:
        teacher: from ``load_teacher``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        UserError: there is no such device.
    """

    def __init__(self, teacher: Teacher, device: str = "auto") -> None:
        self.teacher = teacher
        self.device: torch.device = resolve_device(device)
        teacher.network.to(self.device)

    def prepare(self, volume: Volume) -> Volume:
        """The scan as the network sees it: on the working grid, intensities in [0, 1].

        Raises:
            UserError: the scan is too thin to be segmented, or has voxels that are not finite.
        """
        card = self.teacher.card
        _check_extent(volume.geometry)
        working = to_working(volume, card.spacing_mm)
        if not np.isfinite(working.array).all():  # files are checked when read, arrays are not
            raise UserError("The scan has voxels that are not finite numbers: replace them.")
        return Volume(card.intensity_rule().apply(working.array), working.geometry)

    def segment(
        self,
        volume: Volume,
        settings: SegmentationSettings | None = None,
        *,
        working: Volume | None = None,
        monitor: Monitor | None = None,
    ) -> SegmentationResult:
        """Segment one scan.

        Args:
            volume: the scan on its own grid, which is also the result's grid.
            settings: default ``SegmentationSettings()``.
            working: what ``prepare(volume)`` gave, where that was kept.
            monitor: progress, cancelling and seconds.

        Raises:
            Cancelled: the monitor says so.
            UserError: the scan cannot be segmented; says why.
        """
        settings = settings or SegmentationSettings()
        monitor = monitor or Monitor()
        with thread_limit(settings.threads):
            with monitor.phase("prepare"):
                working = working or self.prepare(volume)
            probabilities = self._predict(working, settings, monitor)
            labels, kept = self._restore(probabilities, working, volume, settings, monitor)
            with monitor.phase("measure"):
                aneurysms = measure_aneurysms(labels)
            report = provenance(self.teacher, self.device, settings, volume.geometry)
        report["aneurysms"] = [aneurysm.to_dict() for aneurysm in aneurysms]
        report["seconds"] = {name: round(s, 3) for name, s in monitor.seconds.items()}
        return SegmentationResult(labels, kept, aneurysms, report)

    def _predict(
        self, working: Volume, settings: SegmentationSettings, monitor: Monitor
    ) -> npt.NDArray[np.float32]:
        with monitor.phase("windows"):
            return predict_windows(
                self.teacher.network,
                working.array,
                self.teacher.card.window,
                overlap=settings.overlap,
                device=self.device,
                precision=settings.precision,
                progress=monitor.advance,
                cancelled=monitor.cancelled,
            )

    def _restore(
        self,
        probabilities: npt.NDArray[np.float32],
        working: Volume,
        volume: Volume,
        settings: SegmentationSettings,
        monitor: Monitor,
    ) -> tuple[Volume, Volume | None]:
        """Labels, and the aneurysm's probability where it is wanted, on the scan's grid."""
        grids = working.geometry, volume.geometry
        with monitor.phase("restore"):
            labels = probabilities_to_labels(probabilities, *grids)
            kept = None
            if settings.probabilities:
                kept = probability_to_original(probabilities[ANEURYSM], *grids)
        with monitor.phase("clean"):
            labels = postprocess(
                labels,
                minimum_aneurysm_mm3=settings.minimum_aneurysm_mm3,
                minimum_vessel_mm3=settings.minimum_vessel_mm3,
            )
        return labels, kept


def _check_extent(geometry: Geometry) -> None:
    extents = [n * mm for n, mm in zip(geometry.size, geometry.spacing, strict=True)]
    if min(extents) < LEAST_EXTENT_MM:
        size = " x ".join(f"{extent:.1f}" for extent in extents)
        raise UserError(
            f"The scan covers only {size} mm: give a volume of at least {LEAST_EXTENT_MM:g} mm "
            "along each axis."
        )
