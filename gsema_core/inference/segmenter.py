"""A teacher on a device, ready to segment one scan after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsema_core.grids import Volume, working_geometry
from gsema_core.inference.click.click_labels import restore
from gsema_core.inference.click.click_result import ClickResult, FoundAneurysm, click_result
from gsema_core.inference.click.finding import look_around
from gsema_core.inference.click.points import check_point
from gsema_core.inference.deciding import probabilities_to_labels, probability_to_original
from gsema_core.inference.deciding.certainty import drop_uncertain_aneurysms
from gsema_core.inference.deciding.cleaning import postprocess
from gsema_core.inference.deciding.original_grid import Shares, full_share
from gsema_core.inference.deciding.walls import find_wall
from gsema_core.inference.memory_estimate import check_memory, enough_memory, estimate
from gsema_core.inference.monitor import Monitor
from gsema_core.inference.placement import Placement
from gsema_core.inference.prepared_scan import PreparedScan, prepare_scan
from gsema_core.inference.provenance import provenance
from gsema_core.inference.segmentation_result import SegmentationResult
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.inference.windows.sliding_window import (
    blend_windows,
    pad_to_window,
    with_background,
)
from gsema_core.inference.windows.window_plan import Start, WindowChoice, choose_windows
from gsema_core.labels import ANEURYSM
from gsema_core.machine.devices import thread_limit
from gsema_core.measurements import measure_aneurysms
from gsema_core.teachers import Teacher


class Segmenter:
    """Segments scans with one teacher; keep it to load the teacher only once.

    Args:
        teacher: from ``load_teacher``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        UserError: there is no such device, or it was asked for by name and does not work.
    """

    def __init__(self, teacher: Teacher, device: str = "auto") -> None:
        self.teacher = teacher
        self._placement = Placement(teacher.network, device)

    @property
    def device(self) -> torch.device:
        """Where the network is; the CPU once a GPU has failed."""
        return self._placement.device

    @property
    def device_failed(self) -> bool:
        """Whether a GPU broke down at work, so that only a new process may get it back."""
        return self._placement.failed

    def prepare(self, volume: Volume) -> PreparedScan:
        """The scan as the network sees it; keep it to segment or click more than once.

        Raises:
            UserError: the scan is too thin to be segmented, or has voxels that are not finite.
        """
        return prepare_scan(volume, self.teacher.card)

    def segment(
        self,
        scan: Volume | PreparedScan,
        settings: SegmentationSettings | None = None,
        *,
        monitor: Monitor | None = None,
    ) -> SegmentationResult:
        """Segment one scan.

        Args:
            scan: on its own grid, or as ``prepare`` gave it.
            settings: default ``SegmentationSettings()``.
            monitor: progress, cancelling and seconds.

        Raises:
            Cancelled: the monitor says so.
            UserError: the scan cannot be segmented; says why.
        """
        settings = settings or SegmentationSettings()
        monitor = monitor or Monitor()
        self._placement.begin()
        with enough_memory(), thread_limit(settings.threads):
            self._check_memory(scan, settings)
            prepared = self._prepared(scan, monitor)
            image = prepared.working.array
            with monitor.phase("mask"):
                choice = self._choose(image, settings)
            with monitor.phase("windows"):
                foreground = self._predict(
                    image, settings, monitor, choice.starts, sixteen_bits=True
                )
            labels, kept = self._restore(foreground, prepared, settings, monitor)
            with monitor.phase("measure"):
                aneurysms = measure_aneurysms(labels)
            report = self._report(prepared, settings, monitor)
        report["windows"] = choice.to_dict()
        report["notes"] += [choice.reason] if choice.reason else []
        report["aneurysms"] = [aneurysm.to_dict() for aneurysm in aneurysms]
        return SegmentationResult(labels, kept, aneurysms, report)

    def segment_at_point(
        self,
        scan: Volume | PreparedScan,
        point_lps: Sequence[float],
        settings: SegmentationSettings | None = None,
        *,
        vessels: bool = True,
        monitor: Monitor | None = None,
    ) -> ClickResult:
        """Segment the aneurysm at a point, as ``gsema_core.inference.click.finding`` says.

        Args:
            scan: on its own grid, or as ``prepare`` gave it, which a click does not wait for.
            point_lps: mm (LPS), inside the scan.
            settings: default ``SegmentationSettings()``; overlap and smallest sizes do not
                matter here.
            vessels: look at the vessels around the aneurysm too, for its neck and its parent
                vessel; without, a click is several times faster beside its windows.
            monitor: progress, cancelling and seconds.

        Raises:
            Cancelled: the monitor says so.
            UserError: the scan cannot be segmented, or the point is outside it.
        """
        settings = settings or SegmentationSettings()
        monitor = monitor or Monitor()
        point = check_point(point_lps, scan.geometry)
        self._placement.begin()
        with enough_memory(), thread_limit(settings.threads):
            prepared = self._prepared(scan, monitor)
            with monitor.phase("windows"):
                finding = look_around(
                    prepared,
                    point,
                    self.teacher.card.window,
                    lambda image: with_background(self._predict(image, settings, monitor)),
                    settings.aneurysm_threshold,
                )
            with monitor.phase("restore"):
                restored = restore(finding, prepared, vessels, settings.draws_walls)
            with monitor.phase("measure"):
                found = None if restored is None else FoundAneurysm.of(*restored)
            report = self._report(prepared, settings, monitor)
        return click_result(finding, prepared, point, found, report)

    def window_seconds(self, settings: SegmentationSettings | None = None) -> float:
        """How long one window of the network takes here.

        The shorter of two: the first one warms up.
        """
        settings = settings or SegmentationSettings()
        image, seconds = np.zeros(self.teacher.card.window, np.float32), []
        self._placement.begin()
        with enough_memory(), thread_limit(settings.threads):
            for _ in range(2):
                started = time.perf_counter()
                self._predict(image, settings, Monitor())
                seconds.append(time.perf_counter() - started)
        return min(seconds)

    def _prepared(self, scan: Volume | PreparedScan, monitor: Monitor) -> PreparedScan:
        with monitor.phase("prepare"):
            return scan if isinstance(scan, PreparedScan) else self.prepare(scan)

    def _check_memory(self, scan: Volume | PreparedScan, settings: SegmentationSettings) -> None:
        card = self.teacher.card
        needed = estimate(
            scan.geometry,
            working_geometry(scan.geometry, card.spacing_mm),
            card.window,
            scan_bytes_a_voxel=scan.array.itemsize if isinstance(scan, Volume) else 0,
            probabilities=settings.probabilities,
        )
        check_memory(needed, settings.memory_limit_gb)

    def _choose(
        self, image: npt.NDArray[np.float32], settings: SegmentationSettings
    ) -> WindowChoice:
        window = self.teacher.card.window
        padded, _ = pad_to_window(torch.from_numpy(image), window)
        return choose_windows(padded.numpy(), window, settings.overlap, skip=settings.skip_empty)

    def _predict(
        self,
        image: npt.NDArray[np.float32],
        settings: SegmentationSettings,
        monitor: Monitor,
        windows: Sequence[Start] | None = None,
        *,
        sixteen_bits: bool = False,
    ) -> Shares:
        def answer(patches: Tensor) -> Tensor:
            with monitor.part("network"):
                return self._placement.probabilities(patches, settings.precision)

        return blend_windows(
            answer,
            image,
            self.teacher.card.window,
            overlap=settings.overlap,
            batch=self._placement.batch,
            windows=windows,
            sixteen_bits=sixteen_bits,
            progress=monitor.advance,
            cancelled=monitor.cancelled,
        )

    def _restore(
        self,
        foreground: Shares,
        scan: PreparedScan,
        settings: SegmentationSettings,
        monitor: Monitor,
    ) -> tuple[Volume, Volume | None]:
        """Labels, and the aneurysm's probability where it is wanted, on the scan's grid."""
        grids = scan.working.geometry, scan.geometry
        with monitor.phase("restore"):
            kept = None
            if settings.probabilities:
                kept = probability_to_original(foreground[ANEURYSM - 1], *grids)
            labels = _draw(foreground, scan, settings)
        with monitor.phase("clean"):
            labels = postprocess(
                labels,
                minimum_aneurysm_mm3=settings.minimum_aneurysm_mm3,
                minimum_vessel_mm3=settings.minimum_vessel_mm3,
            )
        return labels, kept

    def _report(
        self, scan: PreparedScan, settings: SegmentationSettings, monitor: Monitor
    ) -> dict[str, Any]:
        report = provenance(self.teacher, self.device, settings, scan.geometry)
        report["notes"] = list(self._placement.notes)
        report["seconds"] = {name: round(s, 3) for name, s in monitor.seconds.items()}
        return report


def _draw(foreground: Shares, scan: PreparedScan, settings: SegmentationSettings) -> Volume:
    """The labels on the scan's grid; what walls are found by is gone when they are cleaned."""
    working, walls = scan.working, None
    if settings.aneurysm_threshold is None:
        drop_uncertain_aneurysms(foreground, settings.minimum_certainty)
    if settings.draws_walls:
        lumen = foreground.sum(axis=0, dtype=np.float32)
        lumen /= np.float32(full_share(foreground))
        walls = find_wall(lumen, working.array, working.geometry.spacing[0]), scan.scaled
        del lumen
    return probabilities_to_labels(
        foreground, working.geometry, scan.geometry, settings.aneurysm_threshold, walls
    )
