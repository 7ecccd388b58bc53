"""What a segmentation gives, and how it gets onto the disk."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files import write_labels, write_volume
from gsema_core.files.atomic import atomic_path, one_at_a_time
from gsema_core.files.text_files import write_json
from gsema_core.grids import Volume
from gsema_core.measurements import Aneurysm


@dataclass(frozen=True, eq=False)
class SegmentationResult:
    """The result of one run.

    Attributes:
        labels: uint8 on the scan's grid; values as in ``gsema_core.labels``.
        probabilities: probability of an aneurysm, float32 on the scan's grid, where asked for.
        aneurysms: the largest first.
        report: where the result comes from: teacher, device, settings, seconds, geometry.
    """

    labels: Volume
    probabilities: Volume | None
    aneurysms: list[Aneurysm]
    report: dict[str, Any]

    def save(
        self,
        labels: str | os.PathLike[str],
        probabilities: str | os.PathLike[str] | None = None,
        report: str | os.PathLike[str] | None = None,
        *,
        compress: bool = True,
    ) -> None:
        """Write the files that are named: all of them, or on any failure none.

        Args:
            labels: where the labels go; the suffix chooses the format.
            probabilities: where the aneurysm's probability goes.
            report: where the report goes, as JSON.
            compress: False writes images faster and larger, except for ``.seg.nrrd``.

        Raises:
            UserError: a file cannot be written; older files are unchanged.
            ValueError: probabilities are to be written but were not asked for.
        """
        started = time.perf_counter()
        with ExitStack() as turn, ExitStack() as files:  # every rename comes after the last write
            with _beside(labels, files) as temporary:
                write_labels(self.labels, temporary, compress=compress)
            if probabilities is not None:
                if self.probabilities is None:
                    raise ValueError("This result was made without probabilities.")
                with _beside(probabilities, files) as temporary:
                    write_volume(self.probabilities, temporary, compress=compress)
            self.report["seconds"]["write"] = round(time.perf_counter() - started, 3)
            if report is not None:
                with _beside(report, files) as temporary:
                    write_json(self.report, temporary)
            turn.enter_context(one_at_a_time(Path(labels).parent))  # until all are renamed


@contextmanager
def _beside(path: str | os.PathLike[str], files: ExitStack) -> Iterator[Path]:
    """A temporary path that becomes ``path`` when ``files`` closes well; errors name ``path``."""
    temporary = files.enter_context(atomic_path(path))
    try:
        yield temporary
    except UserError as error:
        raise UserError(str(error).replace(str(temporary), os.fspath(path))) from error
