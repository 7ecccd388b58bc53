"""Sacs at known places, for clicks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.inference import Segmenter
from gsema_core.teachers import load_teacher

Sac = tuple[Sequence[float], float]
"""Center in mm from the middle of the scan (LPS), and radius in mm."""


@pytest.fixture(scope="session")
def segmenter(teacher_file: Path) -> Segmenter:
    return Segmenter(load_teacher(teacher_file), "cpu")


@pytest.fixture(scope="session")
def distance_to() -> Callable[..., Any]:
    """Distance in mm of every voxel (k, j, i) of a grid from a point, or from a line through it."""

    def distance(geometry: Geometry, point_lps: Any, axis: int | None = None) -> Any:
        k, j, i = np.indices(geometry.shape).reshape(3, -1)
        offsets = geometry.index_to_world(np.stack([i, j, k], axis=1)) - point_lps
        if axis is not None:
            offsets[:, axis] = 0
        return np.linalg.norm(offsets, axis=1).reshape(geometry.shape)

    return distance


@pytest.fixture(scope="session")
def scan_with(distance_to: Any) -> Callable[..., Volume]:
    """A scan of sacs that the tiny teacher sees, and of a tube 5 mm wide along S.

    The brightness falls from a sac's to the background's within 1 mm, as if slightly blurred, and
    is halfway to what the teacher takes for an aneurysm at the sac's radius.
    """

    def make(geometry: Geometry, *sacs: Sac) -> Volume:
        image = np.where(distance_to(geometry, geometry.center, axis=2) < 2.5, 1300.0, 100.0)
        for offset, radius in sacs:
            depth = radius - distance_to(geometry, np.add(geometry.center, offset))
            image = np.maximum(image, np.clip(1620 + 1000 * depth, 100, 2000))
        noise = np.random.default_rng(3).normal(0.0, 5.0, image.shape)
        return Volume((image + noise).astype(np.int16), geometry)

    return make


@pytest.fixture
def windows_run(segmenter: Segmenter) -> Any:
    """A list that gets the shape of each batch that the network sees."""
    seen: list[tuple[int, ...]] = []
    hook = segmenter.teacher.network.register_forward_hook(
        lambda module, inputs, output: seen.append(tuple(inputs[0].shape))
    )
    yield seen
    hook.remove()
