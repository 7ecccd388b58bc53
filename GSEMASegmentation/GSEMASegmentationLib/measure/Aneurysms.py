"""The measured aneurysms as the panel and scripts see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from GSEMASegmentationLib.scene.Coordinates import Point, worldFromLps


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
    ras: Point


def aneurysmsFromWorker(rows: Iterable[Mapping[str, Any]], volumeNode: Any) -> list[Aneurysm]:
    """Turn the worker's rows (LPS, without the volume's parent transform) into the scene's."""
    return [
        Aneurysm(
            int(row["index"]),
            float(row["volume_ml"]),
            float(row["largest_diameter_mm"]),
            worldFromLps(row["centroid_lps"], volumeNode),
        )
        for row in rows
    ]
