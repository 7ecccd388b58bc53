"""Scores of one segmented case: overlap, surface distance, and lesions found."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids.components import connected_components
from gsema_core.grids.geometry import Geometry
from gsema_core.labels import IGNORE

TOLERANCE_MM = 0.5
"""Of the normalized surface distance: about a voxel of rotational angiography (METHOD: 0.5 mm)."""

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class LesionCounts(NamedTuple):
    """How many lesions were found, and how many findings are none."""

    detected: int
    missed: int
    false_positives: int

    @property
    def f1(self) -> float:
        """2 found / (2 found + missed + false positives); 1 if nothing is there nor found."""
        part, whole = self.f1_parts
        return _ratio(part, whole)

    @property
    def f1_parts(self) -> tuple[int, int]:
        """Of several cases: sum these two over them, then divide."""
        return 2 * self.detected, 2 * self.detected + self.missed + self.false_positives


def case_metrics(
    prediction: npt.NDArray[Any], reference: npt.NDArray[Any], label: int, geometry: Geometry
) -> dict[str, float]:
    """Score one class of one case.

    Args:
        prediction: (k, j, i) label values.
        reference: (k, j, i) label values; voxels with `labels.IGNORE` count as in neither map.
        label: the class to score.
        geometry: the grid of both.

    Returns:
        ``dice``, ``sensitivity`` (TP / (TP + FN)), ``precision`` (TP / (TP + FP)), ``jaccard`` and
        ``volume_similarity`` (1 - |FN - FP| / (2 TP + FP + FN), the paper's VS), ``hd95_mm`` (the
        larger of the two directions' 95th percentiles of the distance from surface voxel to
        nearest surface voxel) and ``nsd_0.5mm`` (share of both surfaces' voxels within 0.5 mm of
        the other surface). Surfaces are those of the voxels: a mask's voxels that have a neighbor
        outside, measured from center to center.
        Empty cases: if nothing is there and nothing was found, all is perfect (1, and 0 mm). If
        only one of the masks is empty, the overlaps are 0 and the distance is the volume's
        diagonal, so that a missed case weighs in every mean. The sensitivity is NaN if there is
        nothing to find, and the precision if nothing was found.
    """
    found, true = _masks(prediction, reference, label)
    found &= reference != IGNORE
    if true.shape != geometry.shape:
        raise ValueError(f"The arrays' shape {true.shape} is not the grid's {geometry.shape}.")
    tp = int((found & true).sum())
    fp, fn = int(found.sum()) - tp, int(true.sum()) - tp
    scores = {
        "dice": _ratio(2 * tp, 2 * tp + fp + fn),
        "sensitivity": tp / (tp + fn) if tp + fn else math.nan,
        "precision": tp / (tp + fp) if tp + fp else math.nan,
        "jaccard": _ratio(tp, tp + fp + fn),
        "volume_similarity": 1 - abs(fn - fp) / (2 * tp + fp + fn) if tp + fp + fn else 1.0,
    }
    if tp + fp and tp + fn:
        there, back = _surface_distances_mm(found, true, geometry)
        hd95 = max(float(np.percentile(there, 95)), float(np.percentile(back, 95)))
        near = int((there <= TOLERANCE_MM).sum() + (back <= TOLERANCE_MM).sum())
        nsd = near / (len(there) + len(back))
    else:
        both_empty = tp + fp + fn == 0
        diagonal = float(np.linalg.norm(np.array(geometry.size) * geometry.spacing))
        hd95, nsd = (0.0, 1.0) if both_empty else (diagonal, 0.0)
    return {**scores, "hd95_mm": hd95, f"nsd_{TOLERANCE_MM:g}mm": nsd}


def lesion_metrics(
    prediction: npt.NDArray[Any],
    reference: npt.NDArray[Any],
    label: int,
    *,
    minimum_overlap: float = 0.1,
) -> LesionCounts:
    """Count lesions (connected components; voxels that share a corner are connected).

    Args:
        prediction: (k, j, i) label values.
        reference: (k, j, i) label values; `labels.IGNORE` where nobody labeled.
        label: the class whose components are lesions.
        minimum_overlap: a reference lesion is detected when at least this share of its voxels is
            predicted. Default 0.1, our choice: a single voxel would be luck.

    Returns:
        The lesions detected and missed, and as false positives the predicted components that
        touch no voxel of any reference lesion and none that is to be ignored. All are 0 where
        nothing is there and nothing found.
    """
    found, true = _masks(prediction, reference, label)
    lesions, count = connected_components(true)
    findings, finding_count = connected_components(found)
    sizes = np.bincount(lesions[true], minlength=count + 1)[1:]
    overlaps = np.bincount(lesions[true & found], minlength=count + 1)[1:]
    detected = int(((overlaps > 0) & (overlaps >= minimum_overlap * sizes)).sum())
    excused = true | (reference == IGNORE)
    false_positives = finding_count - len(np.unique(findings[excused & found]))
    return LesionCounts(detected, count - detected, false_positives)


def _masks(
    prediction: npt.NDArray[Any], reference: npt.NDArray[Any], label: int
) -> tuple[Mask, Mask]:
    if prediction.shape != reference.shape:
        raise ValueError(
            f"The prediction's shape {prediction.shape} is not the reference's {reference.shape}."
        )
    return prediction == label, reference == label


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _surface_distances_mm(one: Mask, other: Mask, geometry: Geometry) -> tuple[Floats, Floats]:
    """From each surface voxel of one mask to the nearest of the other, and the other way."""
    box = ndimage.find_objects((one | other).astype(np.uint8))[0]
    surfaces = [mask[box] & ~ndimage.binary_erosion(mask[box]) for mask in (one, other)]
    sampling = tuple(reversed(geometry.spacing))
    to_one, to_other = (
        np.asarray(ndimage.distance_transform_edt(~surface, sampling=sampling))
        for surface in surfaces
    )
    return to_other[surfaces[0]], to_one[surfaces[1]]
