"""All scores of one segmented case."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import ndimage

from gsema_core.errors import UserError
from gsema_core.evaluation.metrics import LesionCounts, case_metrics, lesion_metrics
from gsema_core.grids.components import connected_components
from gsema_core.grids.volume import Volume
from gsema_core.labels import ANEURYSM, IGNORE, VESSEL
from gsema_core.measurements import measure_aneurysms

DECIMALS = 4
"""Of scores in files: a tenth of a permille of overlap, a tenth of a micrometer. Ours."""


@dataclass(frozen=True)
class Lesion:
    """One aneurysm of the reference.

    Attributes:
        volume_ml: as ``measure_aneurysms`` measures it.
        largest_diameter_mm: likewise.
        detected: whether the prediction finds it, as ``lesion_metrics`` decides.
    """

    volume_ml: float
    largest_diameter_mm: float
    detected: bool


@dataclass(frozen=True)
class CaseScore:
    """How well one case was segmented.

    Attributes:
        name: the name of a file, or a number.
        vessel: the vessels' ``case_metrics``.
        aneurysm: the aneurysms' ``case_metrics``.
        lesions: the reference's aneurysms.
        false_positives: aneurysms of the prediction that touch none of the reference.
        center: where the scan comes from; empty if that is not known.
        patient: the patient's number in the list of cases, never a name; None if that is not
            known.
        spacing_mm: the distances (i, j, k) between the reference's voxels; empty where unknown.
    """

    name: str
    vessel: dict[str, float]
    aneurysm: dict[str, float]
    lesions: tuple[Lesion, ...]
    false_positives: int
    center: str = ""
    patient: int | None = None
    spacing_mm: tuple[float, ...] = ()

    @property
    def lesion_counts(self) -> LesionCounts:
        return LesionCounts(self.detected, self.missed, self.false_positives)

    @property
    def detected(self) -> int:
        return sum(lesion.detected for lesion in self.lesions)

    @property
    def missed(self) -> int:
        return len(self.lesions) - self.detected

    @property
    def reference_ml(self) -> float:
        """Volume of all aneurysms of the reference, in ml."""
        return sum(lesion.volume_ml for lesion in self.lesions)

    @property
    def largest_diameter_mm(self) -> float:
        """The diameter of the reference's largest aneurysm; 0 without one."""
        return max((lesion.largest_diameter_mm for lesion in self.lesions), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "case": self.name,
            **({} if self.patient is None else {"patient": self.patient}),
            **({"center": self.center} if self.center else {}),
            "aneurysm": {name: plain(value) for name, value in self.aneurysm.items()},
            "vessel": {name: plain(value) for name, value in self.vessel.items()},
            "lesions": [
                {name: plain(value) for name, value in asdict(lesion).items()}
                for lesion in self.lesions
            ],
            "false_positives": self.false_positives,
            "lesion_f1": plain(self.lesion_counts.f1),
            **(
                {"spacing_mm": [plain(step) for step in self.spacing_mm]} if self.spacing_mm else {}
            ),
        }


def score_case(
    name: str,
    prediction: Volume,
    reference: Volume,
    center: str = "",
    patient: int | None = None,
) -> CaseScore:
    """Score one label map (1 vessel, 2 aneurysm) against its reference, on the same grid.

    Voxels that the reference ignores count in no score.

    Raises:
        UserError: the label map itself has voxels to ignore.
    """
    if (prediction.array == IGNORE).any():
        raise UserError(
            f"The prediction of case {name} has voxels to ignore: only references may have them, "
            "so give each voxel of a prediction a label."
        )
    grid = reference.geometry
    arrays = prediction.array, reference.array
    return CaseScore(
        name=name,
        vessel=case_metrics(*arrays, VESSEL, grid),
        aneurysm=case_metrics(*arrays, ANEURYSM, grid),
        lesions=tuple(_lesions(prediction, reference)),
        false_positives=lesion_metrics(*arrays, ANEURYSM).false_positives,
        center=center,
        patient=patient,
        spacing_mm=grid.spacing,
    )


def plain(value: float) -> float | int | None:
    """A number as JSON has it: rounded, None for NaN."""
    if isinstance(value, int):
        return value
    return round(float(value), DECIMALS) if math.isfinite(value) else None


def _lesions(prediction: Volume, reference: Volume) -> Iterator[Lesion]:
    components, _ = connected_components(reference.array == ANEURYSM)
    for number, box in enumerate(ndimage.find_objects(components), start=1):
        # Size and detection depend on nothing outside the lesion's box, nor on its place.
        lesion = np.where(components[box] == number, ANEURYSM, 0).astype(np.uint8)
        grid = replace(reference.geometry, size=lesion.shape[::-1])
        (measured,) = measure_aneurysms(Volume(lesion, grid))
        found = lesion_metrics(prediction.array[box], lesion, ANEURYSM).detected == 1
        yield Lesion(measured.volume_ml, measured.largest_diameter_mm, found)
