"""Small volumes and fast scanners for the tests of the simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.simulation.acquisition import has_rtk
from gsema_core.simulation.centers import CENTERS, Protocol

SPHERE_CENTER = (4.0, -3.0, 2.5)
SPHERE_RADIUS = 5.0


@pytest.fixture
def needs_rtk() -> Callable[[], None]:
    """Skip the test, when called, where the optional itk-rtk is not installed."""

    def check() -> None:
        if not has_rtk():
            pytest.skip("itk-rtk is not installed")

    return check


@pytest.fixture
def sphere_center() -> np.ndarray:
    """World position (LPS, mm) of the sphere in ``sphere``."""
    return np.array(SPHERE_CENTER)


@pytest.fixture
def sphere() -> Callable[..., Volume]:
    """Make a label map with one vessel-filled sphere whose upper half is aneurysm."""

    def make(geometry: Geometry | None = None) -> Volume:
        if geometry is None:
            geometry = Geometry((40, 40, 40), (0.8,) * 3, (-15.6,) * 3)
        k, j, i = np.indices(geometry.shape)
        points = np.stack([i, j, k], axis=-1).reshape(-1, 3)
        offsets = (geometry.index_to_world(points) - SPHERE_CENTER).reshape(*geometry.shape, 3)
        inside = np.linalg.norm(offsets, axis=-1) <= SPHERE_RADIUS
        labels = np.where(inside, np.where(offsets[..., 2] > 0, 2, 1), 0).astype(np.uint8)
        return Volume(labels, geometry)

    return make


@pytest.fixture
def quick() -> Callable[..., Protocol]:
    """Make a center's protocol cheap: few views, coarse pixels and voxels."""

    def make(name: str = "B", **changes: object) -> Protocol:
        cheap = {"views": 40, "detector_pixel_mm": 1.2, "spacing_mm": 1.0, "hann_cut": 1.0}
        return replace(CENTERS[name], **{**cheap, **changes})

    return make


@pytest.fixture
def clean(quick: Callable[..., Protocol]) -> Callable[..., Protocol]:
    """Make a cheap protocol in which nothing but the sphere's place shapes the image."""

    def make(**changes: object) -> Protocol:
        still = {
            "photons": 1e8, "scatter": 0.0, "mask_shift_mm": 0.0, "contrast_mixing": 0.0,
            "contrast_fade_mm": 1e6, "storage": "hounsfield", "window_hu": (-1000.0, 5000.0),
        }  # fmt: skip
        return quick("B", **{**still, **changes})

    return make
