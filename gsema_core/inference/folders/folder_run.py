"""A folder of scans, one after the other: a bad one does not stop the rest."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gsema_core.error_log import log_unexpected
from gsema_core.errors import Cancelled, UserError
from gsema_core.files.dicom.mark import has_dicom, is_dicom
from gsema_core.files.image_names import ARCHIVES, SEGMENTATION_SUFFIX, image_stem
from gsema_core.files.text_files import read_table
from gsema_core.inference.folders.resume import compared, is_whole
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
class BatchItem:
    """One scan of a folder.

    Attributes:
        source: an image file, or a folder with one DICOM series.
        output: its label map; the report lies beside it, as JSON.
    """

    source: Path
    output: Path

    @property
    def report(self) -> Path:
        return self.output.with_name(self.output.name.removesuffix(SEGMENTATION_SUFFIX) + ".json")


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


def is_batch(source: Path, output: Path) -> bool:
    """Whether the scans of a folder go to a folder: the output's name has no image suffix.

    With a file as output, a folder is one scan: a DICOM series.
    """
    return source.is_dir() and image_stem(output.name) is None


def find_scans(folder: Path, output: Path) -> list[BatchItem]:
    """The scans of a folder, by name.

    These are its image files, except segmentations (``.seg.nrrd``); its subfolders that hold
    DICOM files; and the folder itself where DICOM files lie in it directly.

    Raises:
        UserError: there are none, or the folder cannot be read.
    """
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be read ({error.strerror}).") from error
    sources = [path for path in entries if _is_scan(path)]
    if any(path.is_file() and is_dicom(path) for path in entries):
        sources.append(folder)
    packed = [path.name for path in entries if path.name.lower().endswith(ARCHIVES)]
    if not sources and packed:
        raise UserError(
            f"The folder {folder} has no scans but archives ({packed[0]}), and none is opened: "
            "unpack them first."
        )
    if not sources:
        raise UserError(
            f"The folder {folder} has no scans: give one with NRRD, NIfTI or MetaImage files or "
            "with DICOM folders."
        )
    stems = Counter(_stem(path) for path in sources)
    names = [_stem(path) if stems[_stem(path)] == 1 else path.name for path in sources]
    return [
        BatchItem(path, output / f"{name}{SEGMENTATION_SUFFIX}")
        for path, name in zip(sources, names, strict=True)
    ]


def segment_batch(
    items: Sequence[BatchItem],
    teacher: str | os.PathLike[str] = "default",
    device: str = "auto",
    *,
    network: str = "",
    settings: SegmentationSettings | None = None,
    resume: bool = False,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> list[Outcome]:
    """Segment scan after scan with one teacher, which is loaded once, and write the results.

    Args:
        items: from ``find_scans``.
        teacher, device, network, settings: as for ``segment``.
        resume: leave scans alone whose output is there and whole, whatever it was made with: it
            may have been corrected by hand.
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
    segmenter = None
    for number, item in enumerate(todo):
        segmenter = segmenter or load_segmenter(teacher, device, network)
        started = time.monotonic()
        monitor = Monitor(_shared(progress, number, len(todo), item.source.name), cancelled)
        state: Literal["done", "failed"] = "done"
        try:
            detail = _segment_one(segmenter, item, settings, monitor)
        except (Cancelled, KeyboardInterrupt):  # Ctrl-C: what is done is still told
            break
        except Exception as error:  # the next scan has nothing to do with it
            state, detail = "failed", _reason(error, item)
        outcomes[item] = Outcome(item, state, detail, time.monotonic() - started)
    return [outcomes.get(item, Outcome(item, "left", "the run was cancelled")) for item in items]


def outcome_table(outcomes: Sequence[Outcome]) -> str:
    """One line a scan, and how many of each kind there are."""
    width = max(len(outcome.item.source.name) for outcome in outcomes)
    lines = [
        f"{outcome.item.source.name:{width}}  {outcome.state:7}  {outcome.detail}"
        for outcome in outcomes
    ]
    counts = Counter(str(outcome.state) for outcome in outcomes)
    states = [state for state in ("done", "skipped", "failed", "left") if counts[state]]
    return "\n".join([*lines, ", ".join(f"{counts[state]} {state}" for state in states) + "."])


def _kept(
    items: Sequence[BatchItem], teacher_hash: str, settings: SegmentationSettings
) -> dict[BatchItem, Outcome]:
    """What became of the scans whose earlier output stays."""
    return {
        item: Outcome(item, "skipped", compared(read_table(item.report), teacher_hash, settings))
        for item in items
        if is_whole(item.output)
    }


def _segment_one(
    segmenter: Segmenter, item: BatchItem, settings: SegmentationSettings, monitor: Monitor
) -> str:
    check_outputs(item.output, report=item.report, source=item.source)
    with monitor.phase("read"):
        volume = read_scan(item.source)
    result = segmenter.segment(volume, settings, monitor=monitor)
    tell_series(result.report, volume)
    tell_input(result.report, item.source)
    with monitor.phase("write"):
        result.save(item.output, report=item.report)
    count = len(result.aneurysms)
    return f"{count} aneurysm{'' if count == 1 else 's'}"


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
    log_unexpected(error, log, f"The scan {item.source} failed.")
    return f"An unexpected {type(error).__name__} occurred ({error}): please report it with {log}."


def _is_scan(path: Path) -> bool:
    if path.is_dir():
        return has_dicom(path)
    segmentation = path.name.lower().endswith(SEGMENTATION_SUFFIX)
    return image_stem(path.name) is not None and not segmentation


def _stem(path: Path) -> str:
    return path.name if path.is_dir() else image_stem(path.name) or path.name
