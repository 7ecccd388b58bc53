"""A case's voxels: the scan, and its labels as this project numbers them."""

from __future__ import annotations

import warnings
from contextlib import nullcontext

import numpy as np
from numpy.typing import NDArray

from gsema_core.datasets.datalist import Case
from gsema_core.errors import UserError
from gsema_core.files import read_volume
from gsema_core.files.dicom.neutral import neutral_name, told_as, told_neutrally
from gsema_core.files.image_names import SEGMENTATION_SUFFIX, image_stem
from gsema_core.files.label_maps import DroppedLabels, LabelMap, read_label_map
from gsema_core.files.label_names import dropped_note
from gsema_core.files.label_words import meaning_of
from gsema_core.grids import Geometry, Volume
from gsema_core.grids.geometry import check_same_grid
from gsema_core.labels import ANEURYSM, BACKGROUND, IGNORE, NAMES, VESSEL


def read_case(case: Case) -> tuple[Volume, Volume]:
    """Read the scan and the labels of a case; both then lie on exactly the same grid.

    Warns (`DroppedLabels`) where its file has segments that are neither vessel nor aneurysm.

    Raises:
        UserError: a file cannot be read, the labels have values outside the list, or the two do
            not lie on one grid.
    """
    image = read_case_image(case)
    labels = read_case_labels(case, image.geometry)
    dropped = (*case.dropped, *labels.dropped)
    if note := dropped_note(dropped, neutral_name(case.image) or str(case.label)):
        warnings.warn(note, DroppedLabels, stacklevel=2)
    return image, labels.volume


def read_case_image(case: Case) -> Volume:
    """Read a case's scan.

    Raises:
        UserError: it cannot be read; of DICOM files no path is told.
    """
    with told_neutrally(case.image) as path:
        return read_volume(path)


def read_case_labels(case: Case, grid: Geometry) -> LabelMap:
    """Read a case's labels: 0 background, 1 vessel, 2 aneurysm, `labels.IGNORE` for nothing known.

    Args:
        case: the case.
        grid: that of its scan, which the labels must lie on and then get.

    Raises:
        UserError: as for ``read_case``.
    """
    name = neutral_name(case.image)
    told = told_as(f"{name}/{case.label.name}", case.label) if name else nullcontext(case.label)
    with told as label:
        found = read_label_map(label, case.relabel, grid, case.labels)
        what, partner = f"The label map {label}", f"its image {name or case.image}"
        check_same_grid(found.volume.geometry, grid, what, partner)
        _check_not_constant(found.volume.array, label)
        if not name:  # which of DICOM files tells nothing
            _check_name(case, found.volume.array)
    return LabelMap(Volume(found.volume.array, grid), found.dropped)


def _check_name(case: Case, labels: NDArray[np.uint8]) -> None:
    """A mask that is called one of aneurysms means them by its only value, 1."""
    path, scan = case.label, image_stem(case.image.name) or ""
    own = path.name.replace(scan, "", 1) if scan else path.name
    said = case.relabel or case.labels.values or path.name.lower().endswith(SEGMENTATION_SUFFIX)
    if said or meaning_of(own) != ANEURYSM or (labels == ANEURYSM).any():
        return
    if (labels == VESSEL).any():
        raise UserError(
            f"The label map {path} is called one of aneurysms and has only 1, which is vessel: say "
            "what it means, such as --label aneurysm=1, or in a datalist 'labels'."
        )


def _check_not_constant(labels: NDArray[np.uint8], path: object) -> None:
    """A label map that is no background anywhere says nothing about where anything is."""
    first = int(labels.flat[0])
    if first != BACKGROUND and (labels == first).all():
        what = "is ignored" if first == IGNORE else f"is {NAMES[first].lower()}"
        raise UserError(
            f"Every voxel of the label map {path} {what}: nothing can be learned from it, so give "
            "the right file."
        )
