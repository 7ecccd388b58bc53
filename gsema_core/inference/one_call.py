"""One call from a file, or a volume, to the result: ``segment`` and ``segment_at_points``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gsema_core.files.dicom.series_volume import source_of
from gsema_core.grids import Volume
from gsema_core.inference.click.points import check_clicks
from gsema_core.inference.dicom_results import check_source
from gsema_core.inference.monitor import CancelCheck, Monitor, ProgressCallback
from gsema_core.inference.opening import load_segmenter, read_scan, tell_series
from gsema_core.inference.segmentation_result import SegmentationResult
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.machine.device_names import check_device_name
from gsema_core.teachers import find_teacher, read_card

if TYPE_CHECKING:
    from gsema_core.inference.click.click_result import ClickResult
    from gsema_core.inference.segmenter import Segmenter

Scan = str | os.PathLike[str] | Volume


def segment(
    scan: Scan,
    teacher: str | os.PathLike[str] = "default",
    device: str = "auto",
    *,
    network: str = "",
    series: int | None = None,
    settings: SegmentationSettings | None = None,
    for_dicom: bool = False,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> SegmentationResult:
    """Segment vessels and aneurysms in a rotational angiography.

    Args:
        scan: a file (NRRD, NIfTI, MetaImage), a DICOM folder, or a volume in memory.
        teacher: ``default``, the name of an added teacher, or a teacher file.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        network: ``package.module:Name`` of a network of your own, if the teacher has one.
        series: which DICOM series of a folder, by its number, if there are several volumes.
        settings: everything else; default ``SegmentationSettings()``.
        for_dicom: whether a DICOM SEG is wanted, so that a scan that none could refer to is
            refused at once.
        progress: called with the fraction done and the phase.
        cancelled: called often; the work stops when it returns True.

    Returns:
        Labels on the scan's own grid, aneurysms and the report.

    Raises:
        Cancelled: ``cancelled`` returned True.
        UserError: the scan, teacher or device cannot be used; the message says why.

    Example:
        >>> from gsema_core import segment
        >>> result = segment("case.nrrd")  # doctest: +SKIP
        >>> result.save("case.seg.nrrd")  # doctest: +SKIP
    """
    monitor = Monitor(progress, cancelled)
    volume, segmenter = _open(scan, teacher, network, device, monitor, series, for_dicom)
    result = segmenter.segment(volume, settings, monitor=monitor)
    tell_series(result.report, volume)
    return result


def segment_at_points(
    scan: Scan,
    inside_lps: Sequence[Sequence[float]],
    outside_lps: Sequence[Sequence[float]] = (),
    teacher: str | os.PathLike[str] = "default",
    device: str = "auto",
    *,
    network: str = "",
    series: int | None = None,
    settings: SegmentationSettings | None = None,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> ClickResult:
    """Segment the one aneurysm at some points of a rotational angiography, or say there is none.

    Args:
        scan: as for ``segment``; so are all arguments that are not listed here.
        inside_lps: points in the aneurysm, at least one, in mm (LPS); Slicer shows RAS, which is
            (-left, -posterior, superior).
        outside_lps: points that are not in it, where it was drawn too large.

    Returns:
        The aneurysm in a small box of the scan's own grid. If there is none: the highest
        probability that was found around the points, and its place.

    Raises:
        Cancelled: ``cancelled`` returned True.
        UserError: the scan, a point, teacher or device cannot be used; the message says why.

    Example:
        >>> from gsema_core import segment_at_points
        >>> result = segment_at_points("case.nrrd", [(-12.5, 31.0, 48.0)])  # doctest: +SKIP
        >>> result.found.measurements if result.found else result.message  # doctest: +SKIP
    """
    monitor = Monitor(progress, cancelled)
    clicks = inside_lps, outside_lps
    volume, segmenter = _open(scan, teacher, network, device, monitor, series, False, clicks)
    result = segmenter.segment_at_points(volume, *clicks, settings, monitor=monitor)
    tell_series(result.report, volume)
    return result


def segment_aneurysms_at(
    scan: Scan,
    inside_lps: Sequence[Sequence[float]],
    outside_lps: Sequence[Sequence[float]] = (),
    teacher: str | os.PathLike[str] = "default",
    device: str = "auto",
    *,
    network: str = "",
    series: int | None = None,
    settings: SegmentationSettings | None = None,
    for_dicom: bool = False,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> list[ClickResult]:
    """Like ``segment_at_points``, for points in one aneurysm or in several: a result each.

    Which points are in the same aneurysm is decided by the answers to them, as
    ``gsema_core.inference.click.grouping`` says. The scan is read and prepared only once.
    """
    settings = settings or SegmentationSettings()
    monitor = Monitor(progress, cancelled)
    volume, segmenter = _open(
        scan, teacher, network, device, monitor, series, for_dicom, (inside_lps, outside_lps)
    )
    from gsema_core.inference.click.grouping import group_clicks
    from gsema_core.machine.threads import thread_limit

    clicks = check_clicks(inside_lps, outside_lps, volume.geometry)
    with monitor.phase("prepare"), thread_limit(settings.threads):
        prepared = segmenter.prepare(volume)
    results = group_clicks(
        clicks,
        lambda inside, outside: segmenter.segment_at_points(
            prepared, inside, outside, settings, monitor=monitor
        ),
    )
    for result in results:
        tell_series(result.report, volume)
    return results


def _open(
    scan: Scan,
    teacher: str | os.PathLike[str],
    network: str,
    device: str,
    monitor: Monitor,
    series: int | None,
    for_dicom: bool,
    clicks_lps: tuple[Sequence[Sequence[float]], Sequence[Sequence[float]]] | None = None,
) -> tuple[Volume, Segmenter]:
    """Scan and teacher; what is wrong is told before anything takes time."""
    check_device_name(device)
    read_card(find_teacher(teacher))
    with monitor.phase("read"):
        volume = scan if isinstance(scan, Volume) else read_scan(scan, series)
    if for_dicom:
        check_source(source_of(volume))
    if clicks_lps is not None:
        check_clicks(*clicks_lps, volume.geometry)
    with monitor.phase("load"):
        return volume, load_segmenter(teacher, device, network)
