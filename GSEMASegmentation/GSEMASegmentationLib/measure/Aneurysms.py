"""The measured aneurysms as the panel and scripts see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import slicer
import vtk


@dataclass(frozen=True)
class Aneurysm:
    """One aneurysm of a segmentation.

    Attributes:
        index: 1 for the largest.
        volumeMl: volume, ml.
        largestDiameterMm: largest distance within it, mm.
        ras: its centroid in mm, in the world's RAS coordinates, as Slicer's views show it.
    """

    index: int
    volumeMl: float
    largestDiameterMm: float
    ras: tuple[float, float, float]


def aneurysmsFromWorker(rows: Iterable[Mapping[str, Any]], volumeNode: Any) -> list[Aneurysm]:
    """Turn the worker's rows (LPS, without the volume's parent transform) into the scene's."""
    localToWorld = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(
        volumeNode.GetParentTransformNode(), None, localToWorld
    )
    aneurysms = []
    for row in rows:
        left, posterior, superior = row["centroid_lps"]
        ras = localToWorld.MultiplyPoint((-left, -posterior, superior, 1.0))[:3]
        aneurysms.append(
            Aneurysm(
                int(row["index"]), float(row["volume_ml"]), float(row["largest_diameter_mm"]), ras
            )
        )
    return aneurysms
