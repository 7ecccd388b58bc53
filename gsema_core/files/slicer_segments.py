"""The header fields by which Slicer knows the segments of a ``.seg.nrrd`` file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.files.image_header import LARGEST_MM
from gsema_core.files.label_rules import NO_RULES, LabelRules
from gsema_core.files.label_words import NEITHER
from gsema_core.grids.geometry import Geometry
from gsema_core.labels import COLORS, NAMES
from gsema_core.terminology import terminology_entry

MOST_SEGMENTS = 1000
"""More segments than any file has: where a forged header's counting ends. Our choice."""

LARGEST_REFERENCE = 2**30
"""Voxels of a grid that a segmentation was cropped from: no scanner's has more. Our choice."""


@dataclass(frozen=True)
class Segment:
    """A segment of a file.

    Attributes:
        name: that the user gave it.
        layer, value: which voxels are its own. Segments that overlap lie in several layers.
        label: this project's, by the name, else by the type that Slicer's terminology has for it,
            else by the value; None where all say neither vessel nor aneurysm.
    """

    name: str
    layer: int
    value: int
    label: int | None


def read_segments(
    texts: Mapping[str, str], path: object, rules: LabelRules = NO_RULES
) -> list[Segment]:
    """The segments of a file, from the texts in its header; none in files of other programs.

    Slicer numbers segments in the order in which they were made, and gave each its own layer, with
    the value 1, before it wrote values. The values of ``rules`` count in a single layer only: in
    several, one value is several segments.

    Raises:
        UserError: a segment has no value or layer.
    """
    segments: list[Segment] = []
    told: list[bool] = []
    for number in range(MOST_SEGMENTS):
        about = f"Segment{number}_"
        name = texts.get(f"{about}Name")
        if name is None:
            break
        value = texts.get(f"{about}LabelValue", "1")
        layer = texts.get(f"{about}Layer", "0" if f"{about}LabelValue" in texts else str(number))
        if not all(re.fullmatch("[0-9]{1,9}", text) for text in (value, layer)) or not int(value):
            raise UserError(
                f"The segment {name!r} in {path} has no label value: save the segmentation again."
            )
        label = rules.label_of(name)
        if label is None:
            label = rules.label_of(_type_of(texts.get(f"{about}Tags", "")))
        segments.append(Segment(name, int(layer), int(value), None if label == NEITHER else label))
        told.append(label is not None)
    if any(segment.layer for segment in segments):
        return segments
    values = dict(rules.values)
    return [
        segment if named else replace(segment, label=values.get(segment.value))
        for segment, named in zip(segments, told, strict=True)
    ]


def _type_of(tags: str) -> str:
    """What kind of thing a segment is: its tags say list~category~type~..., code^word^meaning."""
    parts = tags.partition("TerminologyEntry:")[2].partition("|")[0].split("~")
    return parts[2].rpartition("^")[2] if len(parts) > 2 else ""


def reference_grid(texts: Mapping[str, str]) -> Geometry | None:
    """The grid of the scan that a segmentation was drawn on; its file may be cropped."""
    found = re.search(
        r"Reference image geometry\|([^|&]*)", texts.get("Segmentation_ConversionParameters", "")
    )
    try:
        numbers = [float(text) for text in found[1].split(";") if text] if found else []
        if not all(abs(number) <= LARGEST_MM for number in numbers):
            return None
        matrix, extent = np.array(numbers[:16]).reshape(4, 4), np.array(numbers[16:]).reshape(3, 2)
        size = (extent[:, 1] - extent[:, 0] + 1).astype(int)
        axes = np.diag((-1.0, -1.0, 1.0)) @ matrix[:3]  # from RAS to LPS
        spacing = np.linalg.norm(axes[:, :3], axis=0)
        origin = axes @ [*extent[:, 0], 1]
        if not 0 < np.prod(size, dtype=float) <= LARGEST_REFERENCE:
            return None
        return Geometry(*map(tuple, (size, spacing, origin, (axes[:, :3] / spacing).reshape(-1))))
    except ValueError:
        return None


def segment_fields(labels: npt.NDArray[Any], geometry: Geometry) -> dict[str, str]:
    """NRRD key/value pairs for a label map.

    Args:
        labels: (k, j, i) label values.
        geometry: the label map's grid.

    Returns:
        The fields that Slicer's vtkMRMLSegmentationStorageNode writes and reads.
    """
    from scipy import ndimage  # who reads a scan need not wait for it

    fields = {
        "Segmentation_ConversionParameters": f"Reference image geometry|{_serialized(geometry)}||&",
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
    }
    boxes = ndimage.find_objects(labels, max(NAMES))
    for number, (label, name) in enumerate(NAMES.items()):
        segment = {
            "ID": name,
            "Name": name,
            "NameAutoGenerated": "0",
            "Color": " ".join(f"{channel:.6g}" for channel in COLORS[label]),
            "ColorAutoGenerated": "0",
            "LabelValue": str(label),
            "Layer": "0",
            "Extent": _extent(boxes[label - 1]),
            "Tags": f"TerminologyEntry:{terminology_entry(label)}|",
        }
        fields |= {f"Segment{number}_{key}": value for key, value in segment.items()}
    return fields


def _extent(box: tuple[slice, ...] | None) -> str:
    """First and last index of the voxels along i, j and k; Slicer's empty range for no voxel."""
    sides = box[::-1] if box else [slice(0, 0)] * 3
    return " ".join(f"{side.start} {side.stop - 1}" for side in sides)


def _serialized(geometry: Geometry) -> str:
    """A grid as Slicer's vtkSegmentationConverter writes it: index to RAS row by row, extent.

    Slicer crops a segmentation to its segments when it reads one; this keeps the scan's grid.
    """
    index_to_ras = np.eye(4)
    index_to_ras[:3, :3] = geometry.direction_matrix * geometry.spacing
    index_to_ras[:3, 3] = geometry.origin
    index_to_ras[:2] *= -1
    extent = [bound for count in geometry.size for bound in (0, count - 1)]
    return "".join(f"{value + 0.0:.15g};" for value in [*index_to_ras.reshape(-1), *extent])
