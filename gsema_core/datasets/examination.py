"""What is in a case, and whether it can be trained on."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gsema_core.datasets.case_files import read_case_image, read_case_labels
from gsema_core.datasets.datalist import Case
from gsema_core.datasets.label_checks import LabelSigns, label_signs
from gsema_core.errors import UserError, refusal_of
from gsema_core.files.dicom.neutral import neutral_name
from gsema_core.grids import Geometry
from gsema_core.grids.components import connected_components
from gsema_core.intensities import IntensityRule
from gsema_core.intensities.image_only import only_image
from gsema_core.labels import ANEURYSM, IGNORE
from gsema_core.machine.processes import in_processes

SAMPLE = 1_000_000
"""Voxels that the intensity range is taken from: percentiles are then within 0.1 of theirs."""


NO_NUMBERS: Mapping[Case, int] = MappingProxyType({})
"""The cases are a whole list."""


@dataclass(frozen=True)
class CaseFacts:
    """A case in numbers.

    Attributes:
        geometry: the grid of image and label map.
        vessel_ml, aneurysm_ml, ignored_ml: volumes of the labels.
        aneurysms: how many there are, as voxels are connected.
        signs: what tells whether the labels are what they should be.
        dropped: names of labels that are neither vessel nor aneurysm, taken as background.
        low, high: the range of intensities, between the percentiles that ``IntensityRule`` has by
            default.
        checksum: of the scan's voxels; copies have the same.
    """

    geometry: Geometry
    vessel_ml: float
    aneurysm_ml: float
    aneurysms: int
    low: float
    high: float
    signs: LabelSigns
    ignored_ml: float = 0.0
    dropped: tuple[str, ...] = ()
    checksum: int = 0


@dataclass(frozen=True)
class Examined:
    """The result of looking at a case.

    Attributes:
        number: its place in the list, from 1.
        facts: what was found; None if the case cannot be used.
        reason: why it cannot be used, in a sentence.
    """

    number: int
    case: Case
    facts: CaseFacts | None
    reason: str | None


def examine(case: Case) -> CaseFacts:
    """Read a case and sum it up.

    Raises:
        UserError: a file cannot be read, the labels have values outside the list, or the two
            do not lie on one grid.
    """
    image = read_case_image(case)
    grid, (low, high) = image.geometry, _range(image.array)
    found = read_case_labels(case, grid)
    labels = found.volume.array
    signs = label_signs(image.array, labels, grid.spacing[::-1])
    ml = grid.voxel_volume_mm3 / 1000.0
    return CaseFacts(
        grid,
        signs.vessel * ml,
        signs.aneurysm * ml,
        _count(labels),
        low,
        high,
        signs,
        float(np.count_nonzero(labels == IGNORE) * ml),
        (*case.dropped, *found.dropped),
        zlib.crc32(np.ascontiguousarray(image.array).data),
    )


def examine_all(cases: Sequence[Case], jobs: int = 1) -> Iterator[Examined]:
    """Examine the cases one after the other, in the list's order.

    Args:
        cases: the list.
        jobs: processes; each takes a few times the memory of the largest scan.

    Raises:
        UserError: a process was ended from outside.
    """
    return in_processes(_examined, list(enumerate(cases, start=1)), jobs)


def examine_usable(
    cases: Sequence[Case],
    after: Callable[[Examined], None],
    numbers: Mapping[Case, int] = NO_NUMBERS,
) -> list[Examined]:
    """Examine cases that must all be usable.

    Args:
        cases: to look at.
        after: called after each case; what it raises ends the work.
        numbers: the cases' places in their list, where that is longer.

    Raises:
        UserError: some cannot be used; all of them are named.
    """
    examined = []
    for each in examine_all(cases):
        examined.append(replace(each, number=numbers.get(each.case, each.number)))
        after(each)
    if reasons := [each.reason for each in examined if each.reason is not None]:
        raise refusal_of(reasons)
    return examined


def _examined(numbered: tuple[int, Case]) -> Examined:
    number, case = numbered
    try:
        return Examined(number, case, examine(case), None)
    except UserError as error:
        return Examined(number, case, None, str(error))
    except MemoryError:
        image = neutral_name(case.image) or case.image
        reason = f"The memory did not suffice for the image {image}: close other programs."
        return Examined(number, case, None, reason)


def _range(array: NDArray[Any]) -> tuple[float, float]:
    image = only_image(array)
    flat = image.array.reshape(-1)
    sample = flat[:: max(1, flat.size // SAMPLE)]
    return IntensityRule().bounds(sample, image.fill_share)


def _count(labels: NDArray[np.uint8]) -> int:
    """Aneurysms; only their surroundings are numbered, or memory would grow fivefold."""
    box = ndimage.find_objects(labels, ANEURYSM)[ANEURYSM - 1]
    return 0 if box is None else connected_components(labels[box] == ANEURYSM)[1]
