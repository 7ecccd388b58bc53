"""Label maps made of boxes, and scores made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume


@pytest.fixture
def grid() -> Geometry:
    """(k, j, i) = (20, 22, 24), 0.5 mm wide in i and j, 1 mm in k."""
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    return Geometry((24, 22, 20), (0.5, 0.5, 1.0), (10.0, -20.0, 30.0), identity)


@pytest.fixture
def draw(grid: Geometry) -> Callable[..., Volume]:
    """A label map with boxes: ``draw((label, k, j, i, edge), ...)``."""

    def make(*boxes: tuple[int, int, int, int, int]) -> Volume:
        array = np.zeros(grid.shape, dtype=np.uint8)
        for label, k, j, i, edge in boxes:
            array[k : k + edge, j : j + edge, i : i + edge] = label
        return Volume(array, grid)

    return make


@pytest.fixture
def scored() -> Callable[..., Any]:
    """A case's scores: Dice and HD95 of the aneurysm, lesions as (diameter, detected)."""
    from gsema_core.evaluation.cases import CaseScore, Lesion

    def make(
        name: str,
        dice: float,
        lesions: tuple[tuple[float, bool], ...] = ((6.0, True),),
        false_positives: int = 0,
        center: str = "A",
        hd95: float = 1.0,
        sensitivity: float = 0.5,
        patient: int | None = None,
    ) -> CaseScore:
        metrics = {"dice": dice, "sensitivity": sensitivity, "precision": 0.25}
        metrics |= {"jaccard": dice / (2 - dice)}
        metrics |= {"volume_similarity": 0.75, "hd95_mm": hd95, "nsd_0.5mm": 0.25}
        found = tuple(Lesion(0.1, diameter, detected) for diameter, detected in lesions)
        vessel = {**metrics, "dice": 0.9}
        return CaseScore(name, vessel, metrics, found, false_positives, center, patient)

    return make
