"""What the worker keeps in memory between requests, and the work itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gsema_core.configuration import build
from gsema_core.worker.protocol import (
    CardRequest,
    ClickRequest,
    DevicesRequest,
    PrepareRequest,
    ScanNeededError,
    ScanRequest,
    SegmentRequest,
)

if TYPE_CHECKING:  # the worker says hello before it imports what takes seconds
    from gsema_core.grids import Volume
    from gsema_core.inference import Monitor, PreparedScan, SegmentationSettings, Segmenter


class Session:
    """Keeps the last teacher on its device, and the last scan with what that teacher sees of it.

    The scan is kept because walls are drawn by its own voxels: 270 MB at 512^3 voxels of 16 bits.
    A teacher with another spacing or intensity rule has it sent again.

    Args:
        threads: CPU threads; None leaves the libraries their default.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads
        self._segmenter: Segmenter | None = None
        self._segmenter_key: tuple[object, ...] = ()
        self._scan: PreparedScan | None = None
        self._scan_key: tuple[object, ...] = ()

    @property
    def device_failed(self) -> bool:
        """Whether the teacher's GPU broke down at work, so that this process gets it no more."""
        return self._segmenter is not None and self._segmenter.device_failed

    def load(self, teacher: str, device: str) -> Segmenter:
        """The teacher on the device, from memory where its file did not change.

        Raises:
            UserError: the teacher or the device cannot be used.
        """
        from gsema_core.teachers import find_teacher, load_teacher, read_card

        path = find_teacher(teacher).resolve()
        state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size, device)
        if self._segmenter is None or key != self._segmenter_key:
            read_card(path)  # a wrong file is told before torch is imported
            from gsema_core.inference import Segmenter

            self._segmenter = None  # make room first
            self._segmenter = Segmenter(load_teacher(path), device)
            self._segmenter_key = key
        return self._segmenter

    def segment(self, request: SegmentRequest, monitor: Monitor) -> dict[str, Any]:
        """Segment a scan and write the label map, uncompressed.

        Raises:
            Cancelled: the monitor says so; nothing was written.
            UserError: something in the request cannot be used; nothing was written.
        """
        from gsema_core.inference.output_paths import check_outputs

        settings = self._settings(request)
        check_outputs(request.output, request.probabilities, source=request.input)
        segmenter, scan = self._ready(request, monitor)
        result = segmenter.segment(scan, settings, monitor=monitor)
        with monitor.phase("write"):
            result.save(request.output, request.probabilities, compress=False)
        return {"report": result.report, "aneurysms": result.report["aneurysms"]}

    def prepare(self, request: PrepareRequest, monitor: Monitor) -> dict[str, Any]:
        """Keep scan and teacher for what comes next.

        Raises:
            Cancelled: the monitor says so.
            UserError: the scan or the teacher cannot be used.
        """
        from gsema_core.inference.provenance import describe_geometry

        segmenter, scan = self._ready(request, monitor)
        return {
            "geometry": describe_geometry(scan.geometry),
            "device": str(segmenter.device),
            "seconds": {name: round(s, 3) for name, s in monitor.seconds.items()},
        }

    def click(self, request: ClickRequest, monitor: Monitor) -> dict[str, Any]:
        """Segment the aneurysm at some points and write the label map of its box, if one is there.

        Raises:
            Cancelled: the monitor says so; nothing was written.
            UserError: something in the request cannot be used; nothing was written.
        """
        from gsema_core.inference.output_paths import check_outputs
        from gsema_core.inference.settings import check_for_click

        check_for_click(request.settings)
        settings = self._settings(request)
        check_outputs(request.output, source=request.input)
        segmenter, scan = self._ready(request, monitor)
        result = segmenter.segment_at_points(
            scan,
            request.inside_lps,
            request.outside_lps,
            settings,
            vessels=request.vessels,
            monitor=monitor,
        )
        with monitor.phase("write"):
            if result.found is not None:
                result.save(request.output, compress=False)
        return {**result.to_dict(), "report": result.report}

    def devices(self, request: DevicesRequest) -> dict[str, Any]:
        """What there is to run on, and what a window costs there.

        Raises:
            UserError: the teacher or the device cannot be used.
        """
        from gsema_core.inference import SegmentationSettings
        from gsema_core.machine import available_devices
        from gsema_core.machine.device_names import check_device_name

        check_device_name(request.device)
        devices = {"devices": available_devices()}
        if request.teacher is None:
            return devices
        segmenter = self.load(request.teacher, request.device)
        seconds = segmenter.window_seconds(SegmentationSettings(threads=self._threads))
        card = segmenter.teacher.card
        return {
            **devices,
            "window_seconds": round(seconds, 5),
            "window": list(card.window),
            "spacing_mm": card.spacing_mm,
            "device": str(segmenter.device),
        }

    def card(self, request: CardRequest) -> dict[str, Any]:
        """What a teacher says about itself.

        Raises:
            UserError: there is no such teacher or it cannot be used.
        """
        from gsema_core.teachers import find_teacher, read_card
        from gsema_core.teachers.teacher_file import file_hash

        path = find_teacher(request.teacher)
        return {"card": read_card(path).to_dict(), "sha256": file_hash(path)}

    def _settings(self, request: SegmentRequest | ClickRequest) -> SegmentationSettings:
        from gsema_core.inference import settings

        values = {"threads": self._threads, **request.settings}
        if getattr(request, "probabilities", None) is not None:
            values["probabilities"] = True
        return build(settings.SegmentationSettings, values)

    def _ready(self, request: ScanRequest, monitor: Monitor) -> tuple[Segmenter, PreparedScan]:
        """Teacher and scan, from memory where they are kept.

        Raises:
            UserError: one of them cannot be used.
            ScanNeededError: the scan is not kept, and the request names no file.
        """
        from gsema_core.machine.device_names import check_device_name
        from gsema_core.machine.threads import thread_limit
        from gsema_core.teachers import find_teacher, read_card

        check_device_name(request.device)
        card = read_card(find_teacher(request.teacher))  # told before anything takes time
        key = (request.volume_key, card.spacing_mm, card.intensity_rule())
        scan = self._scan
        if scan is not None and request.volume_key is not None and key == self._scan_key:
            with monitor.phase("load"):
                return self.load(request.teacher, request.device), scan
        with monitor.phase("read"):
            volume = self._read(request)
        with monitor.phase("load"):
            segmenter = self.load(request.teacher, request.device)
        with monitor.phase("prepare"), thread_limit(self._threads):
            scan = segmenter.prepare(volume)
        if request.volume_key is not None:
            self._scan, self._scan_key = scan, key
        return segmenter, scan

    def _read(self, request: ScanRequest) -> Volume:
        if request.input is None:
            raise ScanNeededError(
                f"The worker does not keep the scan {request.volume_key!r} for this model: send "
                "its file."
            )
        from gsema_core.files.dicom.neutral import told_neutrally
        from gsema_core.inference.opening import read_scan

        self._scan = None  # make room first
        self._scan_key = ()
        with told_neutrally(request.input) as path:
            return read_scan(path)
