"""A case's voxels: the scan, and its labels as this project numbers them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gsema_core.datasets.datalist import Case
from gsema_core.datasets.label_names import HIGHEST, Relabel, relabel_by_name
from gsema_core.errors import UserError
from gsema_core.files import read_labels, read_volume
from gsema_core.files.image_files import read_fields
from gsema_core.grids import Geometry, Volume
from gsema_core.grids.geometry import check_same_grid
from gsema_core.labels import CLASSES

MOST_SEGMENTS = 1000
"""More segments than any file has: where a forged header's counting ends. Our choice."""


def read_case(case: Case) -> tuple[Volume, Volume]:
    """Read a case's scan and labels, which then lie on the very same grid.

    Raises:
        UserError: a file cannot be read, the labels have values outside the list, or the two do
            not lie on one grid.
    """
    image = read_volume(case.image)
    return image, read_case_labels(case, image.geometry)


def read_case_labels(case: Case, grid: Geometry) -> Volume:
    """Read a case's labels: 0 background, 1 vessel, 2 aneurysm.

    Args:
        case: the case.
        grid: that of its scan, which the labels must lie on and then get.

    Raises:
        UserError: as for ``read_case``.
    """
    labels = read_label_file(case.label, case.relabel)
    what, partner = f"The label map {case.label}", f"its image {case.image}"
    check_same_grid(labels.geometry, grid, what, partner)
    return Volume(labels.array, grid)


def read_label_file(path: Path, relabel: Relabel = ()) -> Volume:
    """Read a label map: 0 background, 1 vessel, 2 aneurysm.

    Values are taken as ``relabel`` says, else by the names of the segments where Slicer wrote the
    file, else as they are.

    Raises:
        UserError: the file cannot be read, or has values outside the list.
    """
    try:
        relabel = relabel or _segment_values(path)
        values = [value for value, _ in relabel] or list(range(CLASSES))
        labels = read_labels(path, values)
    except OSError as error:
        raise UserError(f"The label map {path} cannot be read ({error.strerror}).") from error
    if not relabel:
        return labels
    ours = np.zeros(HIGHEST + 1, dtype=np.uint8)
    ours[values] = [label for _, label in relabel]
    return Volume(ours[labels.array], labels.geometry)


def _segment_values(path: Path) -> Relabel:
    """What the segments of a file that Slicer wrote mean; empty for other files.

    Slicer numbers segments in the order in which they were made.
    """
    if not path.name.lower().endswith(".nrrd") or not path.is_file():
        return ()
    fields = read_fields(path)
    names: dict[str, tuple[int, ...]] = {}
    for number in range(MOST_SEGMENTS):
        keys = [f"Segment{number}_{field}" for field in ("Name", "LabelValue")]
        if not all(key in fields for key in keys):
            break
        name, value = (fields[key] for key in keys)
        if not value.isdecimal():
            raise UserError(
                f"The segment {name!r} in {path} has no label value: save the segmentation again."
            )
        names[name] = (*names.get(name, ()), int(value))
    return relabel_by_name(names, str(path)) if names else ()
