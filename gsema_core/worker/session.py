"""What the worker keeps in memory between requests, and the work itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsema_core.worker.protocol import CardRequest, DevicesRequest, SegmentRequest

if TYPE_CHECKING:  # the worker says hello before it imports what takes seconds
    from gsema_core.inference import Monitor, SegmentationSettings, Segmenter
    from gsema_core.volumes import Volume


class Session:
    """Keeps the last teacher on its device, and the last scan as it is and as the teacher sees it.

    Args:
        threads: CPU threads; None leaves the libraries their default.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads
        self._segmenter: Segmenter | None = None
        self._segmenter_key: tuple[object, ...] = ()
        self._volume: Volume | None = None
        self._volume_key: str | None = None
        self._working: Volume | None = None
        self._working_key: tuple[object, ...] = ()

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
        from gsema_core.inference.outputs import check_outputs
        from gsema_core.inference.settings import check_device_name

        settings = self._settings(request)
        check_device_name(request.device)
        probabilities = None if request.probabilities is None else Path(request.probabilities)
        check_outputs(Path(request.output), probabilities, source=Path(request.input))
        with monitor.phase("read"):
            volume = self._read(request)
        with monitor.phase("load"):
            segmenter = self.load(request.teacher, request.device)
        with monitor.phase("prepare"):
            working = self._prepare(request, segmenter, volume)
        result = segmenter.segment(volume, settings, working=working, monitor=monitor)
        with monitor.phase("write"):
            result.save(request.output, probabilities, compress=False)
        return {"report": result.report, "aneurysms": result.report["aneurysms"]}

    def devices(self, request: DevicesRequest) -> dict[str, Any]:
        """What there is to run on."""
        from gsema_core.inference import available_devices

        return {"devices": available_devices()}

    def card(self, request: CardRequest) -> dict[str, Any]:
        """What a teacher says about itself.

        Raises:
            UserError: there is no such teacher or it cannot be used.
        """
        from gsema_core.teachers import find_teacher, read_card
        from gsema_core.teachers.teacher_file import file_hash

        path = find_teacher(request.teacher)
        return {"card": read_card(path).to_dict(), "sha256": file_hash(path)}

    def _settings(self, request: SegmentRequest) -> SegmentationSettings:
        from gsema_core.inference import SegmentationSettings

        names = ("overlap", "minimum_aneurysm_mm3", "precision")
        chosen = {name: getattr(request, name) for name in names}
        return SegmentationSettings(
            probabilities=request.probabilities is not None,
            threads=self._threads,
            **{name: value for name, value in chosen.items() if value is not None},
        )

    def _read(self, request: SegmentRequest) -> Volume:
        if self._volume is not None and self._volume_key == request.volume_key is not None:
            return self._volume
        from gsema_core.volumes import read_volume

        self._volume = self._working = self._volume_key = None  # make room first
        volume = read_volume(request.input)
        if request.volume_key is not None:
            self._volume, self._volume_key = volume, request.volume_key
        return volume

    def _prepare(self, request: SegmentRequest, segmenter: Segmenter, volume: Volume) -> Volume:
        card = segmenter.teacher.card
        key = (request.volume_key, card.spacing_mm, card.intensity_rule())
        if self._working is not None and key == self._working_key and volume is self._volume:
            return self._working
        working = segmenter.prepare(volume)
        if volume is self._volume:
            self._working, self._working_key = working, key
        return working
