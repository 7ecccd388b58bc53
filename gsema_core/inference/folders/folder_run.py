"""A folder of scans, one after the other: a bad one does not stop the rest."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gsema_core.error_log import log_unexpected
from gsema_core.errors import Cancelled, UserError
from gsema_core.files.dicom.neutral import told_as
from gsema_core.files.dicom.series_volume import source_of
from gsema_core.files.text_files import read_table
from gsema_core.inference.dicom_results import check_source
from gsema_core.inference.folders.overview.overview import Overview, Told
from gsema_core.inference.folders.resume import compared, is_whole
from gsema_core.inference.folders.scan_list import BatchItem
from gsema_core.inference.monitor import CancelCheck, Monitor, ProgressCallback
from gsema_core.inference.opening import load_segmenter, read_scan, tell_input, tell_series
from gsema_core.inference.output_paths import check_outputs
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.machine.device_names import check_device_name
from gsema_core.teachers import find_teacher, read_card
from gsema_core.teachers.teacher_file import file_hash

if TYPE_CHECKING:
    from gsema_core.inference.segmenter import Segmenter

LOG = "segment.log"
"""Beside the outputs; it is only there where something unexpected happened."""


@dataclass(frozen=True)
class Outcome:
    """What became of a scan.

    Attributes:
        state: ``skipped`` where the output was there and was to be kept, ``left`` where the run
            was cancelled before the scan was done.
        detail: number of aneurysms, or the reason.
        seconds: what it took.
    """

    item: BatchItem
    state: Literal["done", "skipped", "failed", "left"]
    detail: str
    seconds: float = 0.0


def segment_batch(
    items: Sequence[BatchItem],
    teacher: str | os.PathLike[str] = "default",
    device: str = "auto",
    *,
    network: str = "",
    settings: SegmentationSettings | None = None,
    resume: bool = False,
    overview: Overview | None = None,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> list[Outcome]:
    """Segment scan after scan with one teacher, which is loaded once, and write the results.

    Args:
        items: from ``find_scans``.
        teacher, device, network, settings: as for ``segment``.
        resume: leave scans alone whose output is there and whole, whatever it was made with: it
            may have been corrected by hand.
        overview: of all scans of the folder, where ``items`` are a part of it; its page is
            written now and then, and whoever called writes it at the end.
        progress: called with the fraction of all the work and the phase.
        cancelled: asked often; says True to end early, with what is done.

    Returns:
        What became of each item, in their order.

    Raises:
        UserError: the teacher or the device cannot be used.
    """
    check_device_name(device)
    teacher_path = find_teacher(teacher)
    read_card(teacher_path)
    settings = settings or SegmentationSettings()
    outcomes = _kept(items, file_hash(teacher_path), settings) if resume else {}
    todo = [item for item in items if item not in outcomes]
    overview = overview or overview_of(items)
    for item in outcomes:
        if cancelled is None or not cancelled():
            overview.stays(item.name)
    segmenter = None
    for number, item in enumerate(todo):
        segmenter = segmenter or load_segmenter(teacher, device, network)
        started = time.monotonic()
        monitor = Monitor(_shared(progress, number, len(todo), item.title), cancelled)
        state: Literal["done", "failed"] = "done"
        try:
            detail = _segment_one(segmenter, item, settings, monitor, overview, resume=resume)
        except (Cancelled, KeyboardInterrupt):  # Ctrl-C: what is done is still told
            break
        except BrokenPipeError:  # of the progress: whoever watched has gone
            raise
        except Exception as error:  # the next scan has nothing to do with it
            state, detail = "failed", _reason(error, item)
            with suppress(UserError):  # the disk may be full
                overview.failed(item.name, detail)
        outcomes[item] = Outcome(item, state, detail, time.monotonic() - started)
    return [outcomes.get(item, Outcome(item, "left", "the run was cancelled")) for item in items]


def outcome_table(outcomes: Sequence[Outcome]) -> str:
    """One line a scan, and how many of each kind there are."""
    width = max(len(outcome.item.title) for outcome in outcomes)
    lines = [
        f"{outcome.item.title:{width}}  {outcome.state:7}  {outcome.detail}" for outcome in outcomes
    ]
    counts = Counter(str(outcome.state) for outcome in outcomes)
    states = [state for state in ("done", "skipped", "failed", "left") if counts[state]]
    return "\n".join([*lines, ", ".join(f"{counts[state]} {state}" for state in states) + "."])


def overview_of(items: Sequence[BatchItem]) -> Overview:
    """The overview of these scans, beside their results."""
    results = items[0].output.parent if items else Path()
    scans = [Told(one.name, one.title, one.source, one.output, one.report) for one in items]
    return Overview(results, scans, results / LOG)


def _kept(
    items: Sequence[BatchItem], teacher_hash: str, settings: SegmentationSettings
) -> dict[BatchItem, Outcome]:
    """What became of the scans whose earlier output stays."""
    return {
        item: Outcome(item, "skipped", compared(read_table(item.report), teacher_hash, settings))
        for item in items
        if item.is_done
    }


def _segment_one(
    segmenter: Segmenter,
    item: BatchItem,
    settings: SegmentationSettings,
    monitor: Monitor,
    overview: Overview,
    *,
    resume: bool,
) -> str:
    from gsema_core.machine.threads import thread_limit  # torch takes seconds: not before

    seg, sr = item.dicom_seg, item.dicom_sr
    check_outputs(item.output, report=item.report, dicom_seg=seg, dicom_sr=sr, source=item.source)
    with monitor.phase("read"), told_as(item.title, item.source) as source:
        volume = read_scan(source)
    if seg is not None:
        check_source(source_of(volume))
    segmenter.check_memory(volume, settings)
    with monitor.phase("prepare"), thread_limit(settings.threads):
        scan = segmenter.prepare(volume)
    result = segmenter.segment(scan, settings, monitor=monitor)
    tell_series(result.report, volume)
    tell_input(result.report, item.source)
    # Whoever corrected the labels by hand only misses the DICOM objects.
    stays = seg is not None and resume and is_whole(item.output)
    with monitor.phase("write"):
        if stays and seg is not None:
            result.save(seg, dicom_sr=sr)
            overview.stays(item.name)
        else:
            result.save(item.output, report=item.report, dicom_seg=seg, dicom_sr=sr)
            overview.done(item.name, scan, result)
    count = len(result.aneurysms)
    found = f"{count} aneurysm{'' if count == 1 else 's'}"
    found += "; the label map that was there stays" if stays else ""
    return ". ".join([found, *result.report["notes"]])


def _shared(
    progress: ProgressCallback | None, number: int, count: int, name: str
) -> ProgressCallback | None:
    """Progress of one scan as a part of all."""
    if progress is None:
        return None
    return lambda fraction, phase: progress((number + fraction) / count, f"{name}: {phase}")


def _reason(error: Exception, item: BatchItem) -> str:
    """Why a scan failed, in a sentence; the traceback of what is unexpected goes to the log."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The memory did not suffice: crop the scan or close other programs."
    log = item.output.with_name(LOG)
    log_unexpected(error, log, f"The scan {item.title} failed.")
    return f"An unexpected {type(error).__name__} occurred ({error}): please report it with {log}."
