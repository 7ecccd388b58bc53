"""A case's voxels: the scan, and its labels as this project numbers them."""

from __future__ import annotations

from contextlib import nullcontext

from gsema_core.datasets.datalist import Case
from gsema_core.files import read_labels, read_volume
from gsema_core.files.dicom.neutral import neutral_name, told_as, told_neutrally
from gsema_core.grids import Geometry, Volume
from gsema_core.grids.geometry import check_same_grid


def read_case(case: Case) -> tuple[Volume, Volume]:
    """Read a case's scan and labels, which then lie on the very same grid.

    Raises:
        UserError: a file cannot be read, the labels have values outside the list, or the two do
            not lie on one grid.
    """
    image = read_case_image(case)
    return image, read_case_labels(case, image.geometry)


def read_case_image(case: Case) -> Volume:
    """Read a case's scan.

    Raises:
        UserError: it cannot be read; of DICOM files no path is told.
    """
    with told_neutrally(case.image) as path:
        return read_volume(path)


def read_case_labels(case: Case, grid: Geometry) -> Volume:
    """Read a case's labels: 0 background, 1 vessel, 2 aneurysm.

    Args:
        case: the case.
        grid: that of its scan, which the labels must lie on and then get.

    Raises:
        UserError: as for ``read_case``.
    """
    name = neutral_name(case.image)
    told = told_as(f"{name}/{case.label.name}", case.label) if name else nullcontext(case.label)
    with told as label:
        labels = read_labels(label, case.relabel, grid)
        what, partner = f"The label map {label}", f"its image {name or case.image}"
        check_same_grid(labels.geometry, grid, what, partner)
    return Volume(labels.array, grid)
