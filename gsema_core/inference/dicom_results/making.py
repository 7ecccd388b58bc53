"""Both objects of a result, why they cannot be made, and how they get onto the disk."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.files.dicom.series_volume import SeriesSource
from gsema_core.files.voxel_data import DamagedFile
from gsema_core.grids import Volume
from gsema_core.measurements import Aneurysm

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from gsema_core.inference.dicom_results.source_study import SourceStudy


@dataclass(frozen=True, eq=False, repr=False)
class DicomObjects:
    """A segmentation, and the report that points at it."""

    segmentation: Dataset
    report: Dataset


def check_source(source: SeriesSource | None) -> None:
    """Make sure, before long work, that objects can refer to a scan.

    Raises:
        UserError: the scan is no DICOM series, its files do not say enough, or highdicom is
            missing.
    """
    _study(source, 0)


def dicom_objects(
    labels: Volume,
    numbers: npt.NDArray[Any],
    aneurysms: list[Aneurysm],
    report: dict[str, Any],
    source: SeriesSource | None,
) -> DicomObjects:
    """Make the objects of a result; patient and study are read from the scan's first file.

    Args:
        labels: on the scan's grid.
        numbers: (k, j, i) the index of the aneurysm that a voxel is of, or 0.
        aneurysms: by their indices.
        report: where the result comes from.
        source: the scan's files.

    Raises:
        UserError: as for ``check_source``.
    """
    study = _study(source, report.get("series", {}).get("number", 0))
    from gsema_core.inference.dicom_results.measured_segments import segments_of
    from gsema_core.inference.dicom_results.measurement_report import measurement_report
    from gsema_core.inference.dicom_results.segmentation_object import segmentation_object

    with _nothing_told():
        array, segments = segments_of(labels, numbers, aneurysms)
        made = segmentation_object(array, labels.geometry, segments, study, report)
        return DicomObjects(made, measurement_report(made, segments, study, report))


def write_object(made: Dataset, path: Path) -> None:
    """Write an object as a DICOM file.

    Raises:
        OSError: the disk is full, or the like.
        UserError: a value cannot be written.
    """
    with _nothing_told():
        made.save_as(path, enforce_file_format=True)


def _study(source: SeriesSource | None, number: int) -> SourceStudy:
    if source is None:
        raise UserError(
            "The scan is no DICOM series, so no DICOM SEG can refer to it: give the DICOM series, "
            "or write another format."
        )
    try:
        from gsema_core.inference.dicom_results.source_study import read_study

        with _nothing_told():
            return read_study(source, number)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "highdicom":
            raise
        raise UserError(
            "No DICOM SEG can be written, as the package highdicom is not installed: install it "
            "(pip install highdicom), or write another format."
        ) from error
    except DamagedFile as error:
        raise UserError(
            f"No DICOM SEG can refer to the scan's DICOM files, as {error}: export the series "
            "again, or write another format."
        ) from error
    except OSError as error:
        raise UserError(
            f"The scan's DICOM files cannot be read any more ({error.strerror}), so no DICOM SEG "
            "can refer to them: leave them where they are until the result is written."
        ) from error


@contextmanager
def _nothing_told() -> Iterator[None]:
    """Keep quiet what the libraries find unusual about values: they cite them, names too.

    Raises:
        UserError: they refuse a value.
    """
    loggers = [logging.getLogger(name) for name in ("highdicom", "pydicom")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (UserError, DamagedFile, OSError, MemoryError):
        raise
    except Exception as error:  # theirs are of many kinds, and some cite what they refuse
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = "" if place is None else f" in {place.tb_frame.f_code.co_name}"
        raise UserError(
            f"No DICOM SEG can be made of this scan ({type(error).__name__}{where}): write another "
            "format."
        ) from None
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
