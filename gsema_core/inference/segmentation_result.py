"""What a segmentation gives, and how it gets onto the disk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.files import write_labels, write_volume
from gsema_core.files.atomic import atomic_path, one_at_a_time
from gsema_core.files.dicom.series_volume import SeriesSource
from gsema_core.files.image_names import is_dicom_name
from gsema_core.files.text_files import write_json
from gsema_core.grids import Volume
from gsema_core.inference.dicom_results import dicom_objects, write_object
from gsema_core.measurements import Aneurysm, aneurysm_numbers


@dataclass(frozen=True, eq=False)
class SegmentationResult:
    """The result of one run.

    Attributes:
        labels: uint8 on the scan's grid; values as in ``gsema_core.labels``.
        probabilities: probability of an aneurysm, float32 on the scan's grid, if asked for.
        aneurysms: the largest first.
        report: where the result comes from: teacher, device, settings, seconds, geometry.
        source: the DICOM files of the scan; None if it was read from another format.
        numbers: (k, j, i) for each voxel the index of its aneurysm, or 0. None if the aneurysms
            are the connected components of the labels.
    """

    labels: Volume
    probabilities: Volume | None
    aneurysms: list[Aneurysm]
    report: dict[str, Any]
    source: SeriesSource | None = field(default=None, repr=False)
    numbers: npt.NDArray[Any] | None = field(default=None, repr=False)

    def save(
        self,
        labels: str | os.PathLike[str],
        probabilities: str | os.PathLike[str] | None = None,
        report: str | os.PathLike[str] | None = None,
        *,
        dicom_seg: str | os.PathLike[str] | None = None,
        dicom_sr: str | os.PathLike[str] | None = None,
        compress: bool = True,
    ) -> None:
        """Write the files that are named. If one fails, none is written.

        Args:
            labels: file of the labels; the suffix chooses the format (``.dcm``: a DICOM SEG).
            probabilities: file of the probability of an aneurysm.
            report: file of the report, as JSON.
            dicom_seg: file of a DICOM SEG for the scan's study.
            dicom_sr: file of a DICOM SR with the measurements, which points at that SEG.
            compress: False writes images faster and larger, except for ``.seg.nrrd``.

        Raises:
            UserError: a file cannot be written, or the scan was no DICOM series; older files are
                unchanged.
            ValueError: probabilities are to be written but were not asked for, or a DICOM SR
                without a SEG.
        """
        started = time.perf_counter()
        writers = self._writers(labels, probabilities, dicom_seg, dicom_sr, compress)
        with ExitStack() as turn, ExitStack() as files:  # every rename comes after the last write
            for path, write in writers:
                with _beside(path, files) as temporary:
                    write(temporary)
            self.report["seconds"]["write"] = round(time.perf_counter() - started, 3)
            if report is not None:
                with _beside(report, files) as temporary:
                    write_json(self.report, temporary)
            turn.enter_context(one_at_a_time(Path(labels).parent))  # until all are renamed

    def _writers(
        self,
        labels: str | os.PathLike[str],
        probabilities: str | os.PathLike[str] | None,
        dicom_seg: str | os.PathLike[str] | None,
        dicom_sr: str | os.PathLike[str] | None,
        compress: bool,
    ) -> Iterator[tuple[str | os.PathLike[str], Callable[[Path], None]]]:
        """What is written where; what comes first is renamed last."""
        if is_dicom_name(labels):
            dicom_seg = labels
        else:
            yield labels, partial(write_labels, self.labels, compress=compress)
        if probabilities is not None:
            if self.probabilities is None:
                raise ValueError("This result was made without probabilities.")
            yield probabilities, partial(write_volume, self.probabilities, compress=compress)
        if dicom_seg is not None:
            numbers = aneurysm_numbers(self.labels) if self.numbers is None else self.numbers
            made = dicom_objects(self.labels, numbers, self.aneurysms, self.report, self.source)
            yield dicom_seg, partial(write_object, made.segmentation)
            if dicom_sr is not None:
                yield dicom_sr, partial(write_object, made.report)
        elif dicom_sr is not None:
            raise ValueError("A DICOM SR needs the DICOM SEG that it points at.")


@contextmanager
def _beside(path: str | os.PathLike[str], files: ExitStack) -> Iterator[Path]:
    """A temporary path that becomes ``path`` when ``files`` closes well; errors name ``path``."""
    temporary = files.enter_context(atomic_path(path))
    try:
        yield temporary
    except UserError as error:
        raise UserError(str(error).replace(str(temporary), os.fspath(path))) from error
