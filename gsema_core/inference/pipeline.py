"""``segment``: one call from a file, or a volume, to the result."""

from __future__ import annotations

import os

from gsema_core.inference.monitor import CancelCheck, Monitor, ProgressCallback
from gsema_core.inference.result import SegmentationResult
from gsema_core.inference.settings import SegmentationSettings, check_device_name
from gsema_core.teachers import find_teacher, load_teacher, read_card
from gsema_core.volumes import Volume, read_volume


def segment(
    scan: str | os.PathLike[str] | Volume,
    teacher: str | os.PathLike[str] = "default",
    device: str = "auto",
    *,
    settings: SegmentationSettings | None = None,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> SegmentationResult:
    """Segment vessels and aneurysms in a rotational angiography.

    Args:
        scan: a file (NRRD, NIfTI, MetaImage), a DICOM folder, or a volume in memory.
        teacher: ``default``, the name of an added teacher, or a teacher file.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        settings: what else there is to choose; default ``SegmentationSettings()``.
        progress: called with the fraction done and the phase.
        cancelled: asked often; the work stops when it says True.

    Returns:
        Labels on the scan's own grid, aneurysms and the report.

    Raises:
        Cancelled: ``cancelled`` said True.
        UserError: scan, teacher or device cannot be used; says why.

    Example:
        >>> from gsema_core import segment
        >>> result = segment("case.nrrd")  # doctest: +SKIP
        >>> result.save("case.seg.nrrd")  # doctest: +SKIP
    """
    monitor = Monitor(progress, cancelled)
    check_device_name(device)
    teacher_file = find_teacher(teacher)
    read_card(teacher_file)  # a wrong file is told before anything takes time
    with monitor.phase("read"):
        volume = scan if isinstance(scan, Volume) else read_volume(scan)
    with monitor.phase("load"):
        from gsema_core.inference.segmenter import Segmenter  # torch takes seconds: not before

        segmenter = Segmenter(load_teacher(teacher_file), device)
    return segmenter.segment(volume, settings, monitor=monitor)
