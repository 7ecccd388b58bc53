"""A teacher on a device, ready to segment one scan after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gsema_core.clicks import click_channels
from gsema_core.files.dicom.series_volume import source_of
from gsema_core.grids import Volume, working_geometry
from gsema_core.grids.axis_interpolation import Floats
from gsema_core.inference.click.click_labels import restore
from gsema_core.inference.click.click_result import ClickResult, FoundAneurysm, click_result
from gsema_core.inference.click.finding import look_around
from gsema_core.inference.click.points import check_clicks
from gsema_core.inference.deciding.certainty import certainty_at
from gsema_core.inference.deciding.decide import decide
from gsema_core.inference.memory_estimate import estimate
from gsema_core.inference.monitor import Monitor
from gsema_core.inference.placement import Placement
from gsema_core.inference.preparing import doubts, prepare_scan
from gsema_core.inference.provenance import provenance
from gsema_core.inference.segmentation_result import SegmentationResult
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.inference.shares import Shares
from gsema_core.inference.windows.sliding_window import blend_windows
from gsema_core.inference.windows.window_plan import WindowPlan, plan_windows
from gsema_core.intensities.prepared_scan import PreparedScan
from gsema_core.machine import Computing
from gsema_core.machine.memory import check_memory, enough_memory
from gsema_core.machine.waiting import waiting_note
from gsema_core.measurements import Aneurysm, measure_aneurysms, measurements_report
from gsema_core.measurements.aneurysms import aneurysm_voxels
from gsema_core.teachers import Teacher


class Segmenter:
    """Segments scans with one teacher. Keep the object, so that the teacher is loaded only once.

    Args:
        teacher: from ``load_teacher``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        UserError: there is no such device, or it was named and does not work.
    """

    def __init__(self, teacher: Teacher, device: str = "auto") -> None:
        self.teacher = teacher
        self._placement = Placement(teacher.network, device)

    @property
    def device(self) -> torch.device:
        """The device that the network is on: the CPU, after a GPU has failed."""
        return self._placement.device

    @property
    def device_failed(self) -> bool:
        """Whether a GPU failed at work; then only a new process may use it again."""
        return self._placement.failed

    def prepare(self, volume: Volume) -> PreparedScan:
        """Return the scan as the network sees it; keep it to segment or click more than once.

        Raises:
            UserError: the scan is too thin to be segmented, or has voxels that are not finite.
        """
        return prepare_scan(volume, self.teacher.card)

    def check_memory(self, scan: Volume | PreparedScan, settings: SegmentationSettings) -> None:
        """Check that the segmentation of a scan fits into the memory.

        Raises:
            UserError: it does not.
        """
        card = self.teacher.card
        needed = estimate(
            scan.geometry,
            working_geometry(scan.geometry, card.spacing_mm),
            card.window,
            scan_bytes_a_voxel=scan.array.itemsize if isinstance(scan, Volume) else 0,
            probabilities=settings.probabilities,
        )
        check_memory(needed, settings.memory_limit_gb)

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
        with enough_memory(), self._computing(settings).thread_limit():
            self.check_memory(scan, settings)
            prepared = self._prepared(scan, settings, monitor)
            shares, plan = self._look_through(prepared, settings, monitor)
            labels, probability, notes = decide(shares, prepared, settings, monitor)
            with monitor.phase("measure"):
                aneurysms = self._measured(labels, shares, prepared)
            report = self._report(prepared, settings, monitor)
            waiting = self._waiting(monitor, plan)
        report["windows"] = plan.to_dict()
        report["notes"] += [note for note in (plan.reason, *notes, waiting) if note]
        report |= measurements_report(aneurysms)
        source = source_of(prepared.scan)
        return SegmentationResult(labels, probability, aneurysms, report, source)

    def _measured(self, labels: Volume, shares: Shares, scan: PreparedScan) -> list[Aneurysm]:
        """The aneurysms with the teacher's certainty."""
        return [
            aneurysm.with_certainty(
                certainty_at(shares, scan.working.geometry, labels.geometry.index_to_world(voxels))
            )
            for aneurysm, voxels in zip(
                measure_aneurysms(labels), aneurysm_voxels(labels), strict=True
            )
        ]

    def segment_at_points(
        self,
        scan: Volume | PreparedScan,
        inside_lps: Sequence[Sequence[float]],
        outside_lps: Sequence[Sequence[float]] = (),
        settings: SegmentationSettings | None = None,
        *,
        vessels: bool = True,
        monitor: Monitor | None = None,
    ) -> ClickResult:
        """Segment the one aneurysm at some points, as ``gsema_core.inference.click.finding`` says.

        Args:
            scan: as for ``segment``; a click does not wait for one that is prepared.
            inside_lps: clicks in the aneurysm, at least one; mm (LPS), inside the scan.
            outside_lps: clicks on what is not this aneurysm.
            settings: as for ``segment``; overlap and smallest sizes do not matter here.
            vessels: look at the vessels around the aneurysm too, for its neck and its parent
                vessel; without, a click is several times faster beside its windows.
            monitor: as for ``segment``.

        Raises:
            Cancelled: the monitor says so.
            UserError: the scan cannot be segmented, or a point is outside it.
        """
        settings = settings or SegmentationSettings()
        monitor = monitor or Monitor()
        clicks = check_clicks(inside_lps, outside_lps, scan.geometry)
        self._placement.begin()
        with enough_memory(), self._computing(settings).thread_limit():
            prepared = self._prepared(scan, settings, monitor)
            with monitor.phase("windows"):
                finding = look_around(
                    prepared,
                    clicks,
                    self.teacher.card.window,
                    partial(self._one_window, settings, monitor),
                    settings.aneurysm_threshold,
                    knows_clicks=self._click_width > 0,
                )
            with monitor.phase("restore"):
                restored = restore(finding, prepared, vessels, settings.draws_walls)
            found, notes = None, finding.notes
            with monitor.phase("measure"):
                if restored is not None:
                    found = FoundAneurysm.of(restored.labels, restored.box, finding.certainty)
                    notes += restored.notes
            report = self._report(prepared, settings, monitor)
        report["notes"] += notes
        return click_result(finding, prepared, found, report, notes)

    def window_seconds(self, settings: SegmentationSettings | None = None) -> float:
        """Measure how many seconds one window of the network takes on this device.

        Two windows are run, and the shorter time counts: the first one warms up.
        """
        settings = settings or SegmentationSettings()
        image, seconds = np.zeros(self.teacher.card.window, np.float32), []
        self._placement.begin()
        with enough_memory(), self._computing(settings).thread_limit():
            for _ in range(2):
                started = time.perf_counter()
                self._one_window(settings, Monitor(), image)
                seconds.append(time.perf_counter() - started)
        return min(seconds)

    def _prepared(
        self, scan: Volume | PreparedScan, settings: SegmentationSettings, monitor: Monitor
    ) -> PreparedScan:
        """The scan, and among its notes what this teacher does not know of it."""
        with monitor.phase("prepare"):
            scan = scan if isinstance(scan, PreparedScan) else self.prepare(scan)
        notes = doubts(scan, self.teacher.card, settings.refuse_implausible)
        return replace(scan, notes=(*scan.notes, *notes))

    def _look_through(
        self, scan: PreparedScan, settings: SegmentationSettings, monitor: Monitor
    ) -> tuple[Shares, WindowPlan]:
        """The shares of vessel and aneurysm on the working grid, by all windows that matter."""
        window = self.teacher.card.window
        with monitor.phase("mask"):
            plan, padded = plan_windows(
                scan.working.array, window, settings.overlap, skip=settings.skip_empty
            )
        with monitor.phase("windows"):
            return self._blend(padded, plan, settings, monitor, sixteen_bits=True), plan

    def _waiting(self, monitor: Monitor, plan: WindowPlan) -> str:
        """A sentence where windows on the CPU waited for cores; else empty."""
        if self.device.type != "cpu":
            return ""
        took, worked = (
            seconds.get("network", 0.0) for seconds in (monitor.seconds, monitor.processor_seconds)
        )
        return waiting_note("A window", len(plan.starts), took, worked, torch.get_num_threads())

    @property
    def _click_width(self) -> float:
        """The standard deviation of clicks in voxels, 0 for a network that does not know them."""
        config = self.teacher.network.config
        return config.click_width_mm / self.teacher.card.spacing_mm if config.takes_clicks else 0.0

    def _one_window(
        self,
        settings: SegmentationSettings,
        monitor: Monitor,
        image: Floats,
        inside: Floats | None = None,
        outside: Floats | None = None,
    ) -> Floats:
        """Shares (2, k, j, i) of an image that is no larger than a window, and of clicks in it."""
        plan, padded = plan_windows(image, self.teacher.card.window, settings.overlap)
        if self._click_width and inside is not None and outside is not None:
            start = [side.start for side in plan.inside]
            clicks = click_channels(
                padded.shape, inside + start, outside + start, self._click_width
            )
            if clicks.any():
                padded = np.concatenate([padded[None], clicks])
        return np.asarray(self._blend(padded, plan, settings, monitor), np.float32)

    def _blend(
        self,
        padded: Floats,
        plan: WindowPlan,
        settings: SegmentationSettings,
        monitor: Monitor,
        *,
        sixteen_bits: bool = False,
    ) -> Shares:
        def answer(patches: Tensor) -> Tensor:
            with monitor.part("network"):
                return self._placement.probabilities(patches, settings.precision)

        return blend_windows(
            answer,
            padded,
            plan,
            batch=self._placement.batch,
            sixteen_bits=sixteen_bits,
            progress=monitor.advance,
            cancelled=monitor.cancelled,
        )

    def _computing(self, settings: SegmentationSettings) -> Computing:
        """What the network is computed with, as things are."""
        return Computing.of(self.device, settings.precision, settings.threads)

    def _report(
        self, scan: PreparedScan, settings: SegmentationSettings, monitor: Monitor
    ) -> dict[str, Any]:
        report = provenance(self.teacher, self._computing(settings), settings, scan.geometry)
        report["notes"] = [*scan.notes, *self._placement.notes]
        report["seconds"] = {name: round(s, 3) for name, s in monitor.seconds.items()}
        return report
