"""What a click gives, and how several of them become one label map."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.files import write_labels
from gsema_core.files.dicom.series_volume import SeriesSource, source_of
from gsema_core.grids import Geometry, Volume
from gsema_core.grids.boxes import Box
from gsema_core.inference.click.click_labels import only_aneurysm
from gsema_core.inference.click.finding import (
    Candidate,
    Finding,
    highest_probability,
    nearest_candidate,
    probability_at,
)
from gsema_core.inference.click.points import Clicks, Point, describe
from gsema_core.intensities.prepared_scan import PreparedScan
from gsema_core.labels import ANEURYSM
from gsema_core.measurements import Aneurysm, measure_aneurysms


@dataclass(frozen=True, eq=False)
class FoundAneurysm:
    """The aneurysm that a click found.

    Attributes:
        labels: uint8, 0 and 2, in the smallest box of the scan's own grid that holds it.
        box: where that box lies in the scan's grid.
        measurements: ``centroid_ijk`` counts in the scan's grid.
    """

    labels: Volume
    box: Box
    measurements: Aneurysm

    @classmethod
    def of(cls, labels: Volume, box: Box, certainty: float | None = None) -> FoundAneurysm:
        """Cut out and measure the one aneurysm of a label map with the vessels around it.

        Args:
            labels: background, vessel and the aneurysm.
            box: where they lie in the scan's grid.
            certainty: of the teacher that there is an aneurysm.
        """
        (measured,) = measure_aneurysms(labels)
        measured = measured.with_certainty(certainty)
        start = [side.start for side in reversed(box)]
        i, j, k = (float(n) for n in np.add(start, measured.centroid_ijk))
        return cls(*only_aneurysm(labels, box), replace(measured, centroid_ijk=(i, j, k)))


@dataclass(frozen=True, eq=False)
class ClickResult:
    """What the clicks on one aneurysm gave. Positions are in mm (LPS).

    Attributes:
        clicks: where they were.
        probability: the probability of an aneurysm at the first click.
        found: the aneurysm; None if there is none.
        threshold: the least probability that counts as aneurysm; if nothing was found, the one
            that would have been needed within ``click.REACH_MM``.
        highest_probability: the highest probability of an aneurysm in all windows that were run.
        highest_lps: the place of that probability.
        candidate: if nothing was found, the nearest place at which a click would find something.
        complete: False if the aneurysm reaches beyond the windows that were run.
        windows: how many windows were run.
        notes: what the user should know of this answer, one sentence each.
        report: where the result comes from: teacher, device, settings, seconds, geometry.
        geometry: the scan's own grid.
        source: the DICOM files of the scan; None if it was read from another format.
    """

    clicks: Clicks
    probability: float
    found: FoundAneurysm | None
    threshold: float
    highest_probability: float
    highest_lps: Point
    complete: bool
    windows: int
    report: dict[str, Any]
    geometry: Geometry
    source: SeriesSource | None = field(default=None, repr=False)
    candidate: Candidate | None = None
    notes: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """One sentence for the user if nothing was found; otherwise empty."""
        if self.found is not None:
            return ""
        nothing = f"There is no aneurysm at {describe(self.clicks.inside[0])}"
        if self.candidate is None:
            return f"{nothing}, and nothing around it looks like one."
        return (
            f"{nothing}. The nearest candidate is {self.candidate.distance_mm:.0f} mm away, at "
            f"{describe(self.candidate.lps)}."
        )

    def save(self, path: str | os.PathLike[str], *, compress: bool = True) -> None:
        """Write the label map of the aneurysm's box only; the suffix chooses the format.

        Raises:
            UserError: nothing was found, or the file cannot be written; an older one is unchanged.
        """
        if self.found is None:
            raise UserError(self.message)
        write_labels(self.found.labels, path, compress=compress)

    def to_dict(self) -> dict[str, Any]:
        """Everything except voxels, report and grid, as plain values for JSON."""
        box = aneurysm = None
        if self.found is not None:
            start = [side.start for side in reversed(self.found.box)]
            size = list(self.found.labels.geometry.size)
            box = {"start_ijk": start, "size_ijk": size}
            aneurysm = self.found.measurements.to_dict()
        return {
            "found": self.found is not None,
            "message": self.message,
            "inside_lps": [list(point) for point in self.clicks.inside],
            "outside_lps": [list(point) for point in self.clicks.outside],
            "probability": round(self.probability, 4),
            "threshold": round(self.threshold, 4),
            "box": box,
            "aneurysm": aneurysm,
            "highest_probability": round(self.highest_probability, 4),
            "highest_lps": list(self.highest_lps),
            "candidate": None if self.candidate is None else _values(self.candidate),
            "complete": self.complete,
            "windows": self.windows,
            "notes": list(self.notes),
        }


def click_result(
    finding: Finding,
    scan: PreparedScan,
    found: FoundAneurysm | None,
    report: dict[str, Any],
    notes: Sequence[str] = (),
) -> ClickResult:
    """Put together what is known of an aneurysm's clicks."""
    first = finding.clicks.inside[0]
    working = scan.working.geometry
    highest, highest_lps = highest_probability(finding.field, working)
    return ClickResult(
        clicks=finding.clicks,
        probability=probability_at(finding.field, working, first),
        found=found,
        threshold=finding.outline.threshold,
        highest_probability=highest,
        highest_lps=highest_lps,
        complete=finding.complete,
        windows=finding.windows,
        report=report,
        geometry=scan.geometry,
        source=source_of(scan.scan),
        candidate=None if found else nearest_candidate(finding, working, first),
        notes=tuple(notes),
    )


def _values(candidate: Candidate) -> dict[str, Any]:
    return {
        "lps": list(candidate.lps),
        "probability": round(candidate.probability, 4),
        "distance_mm": round(candidate.distance_mm, 1),
    }


def merge(
    results: Sequence[ClickResult],
) -> tuple[Volume, npt.NDArray[Any], list[Aneurysm]]:
    """The aneurysms of several results on one scan as one label map on the scan's own grid.

    A voxel that two of them have belongs to the first, in the order of the results; measurements
    stay those of each result. One that has no voxel left is left out.

    Returns:
        The label map; of each voxel (k, j, i) the index of its aneurysm, or 0; and the
        aneurysms, the largest first.

    Raises:
        UserError: none of the clicks found anything.
    """
    found = [result.found for result in results if result.found is not None]
    if not found:
        raise UserError(" ".join(result.message for result in results))
    labels = np.zeros(results[0].geometry.shape, dtype=np.uint8)
    different = []
    for one in found:
        part = labels[one.box]  # a view
        own = (one.labels.array > 0) & (part == 0)
        if own.any():
            part[own] = ANEURYSM
            different.append((one, own))
    different.sort(key=lambda one: -one[0].measurements.volume_ml)
    numbers = np.zeros(labels.shape, np.min_scalar_type(len(different)))
    aneurysms = []
    for number, (one, own) in enumerate(different, start=1):
        numbers[one.box][own] = number
        aneurysms.append(replace(one.measurements, index=number))
    return Volume(labels, results[0].geometry), numbers, aneurysms
