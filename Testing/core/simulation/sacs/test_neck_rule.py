"""Spheres on tubes and planes, divided raggedly and anew."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from gsema_core.simulation.sacs import divide

SHAPE = (40, 40, 40)
POINTS = np.moveaxis(np.indices(SHAPE), 0, -1).astype(float) - 19.5


def sphere_on_tube(height: float, tube: float = 6.0, ball: float = 8.0) -> np.ndarray:
    """The tube lies along i; a ball's middle lies ``height`` above its axis (k)."""
    vessel = np.hypot(POINTS[..., 0] + 10, POINTS[..., 1]) <= tube
    sac = np.linalg.norm(POINTS - (height - 10, 0, 0), axis=-1) <= ball
    return np.where(vessel, 1, np.where(sac, 2, 0)).astype(np.uint8)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def ragged(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Voxels within 2.5 of the division change sides in clumps by chance."""
    clumps = ndimage.gaussian_filter(rng.standard_normal(SHAPE), 1.2)
    sac, vessel = labels == 2, labels == 1
    near_vessel = ndimage.distance_transform_edt(~vessel) <= 2.5
    near_sac = ndimage.distance_transform_edt(~sac) <= 2.5
    changed = labels.copy()
    changed[sac & near_vessel & (clumps > 0.03)] = 1
    changed[vessel & near_sac & (clumps > 0.03)] = 2
    return changed


def test_a_ragged_line_gives_nearly_the_same_neck_as_a_clean_one():
    clean = sphere_on_tube(height=12.0)
    rough = ragged(clean, np.random.default_rng(0))
    divided, reference = divide(rough), divide(clean)
    assert dice(clean == 2, rough == 2) < 0.975
    assert dice(reference == 2, divided == 2) > 0.99
    assert np.array_equal(divided > 0, clean > 0)


def test_a_hemisphere_keeps_its_base():
    """Sections of a hemisphere shrink from its base on, but the cut does not slide up."""
    vessel = POINTS[..., 0] < 0
    sac = ~vessel & (np.linalg.norm(POINTS, axis=-1) <= 10)
    labels = np.where(vessel, 1, np.where(sac, 2, 0)).astype(np.uint8)
    assert dice(sac, divide(labels) == 2) > 0.97


def test_the_neck_is_where_the_lumen_is_narrow():
    """Two balls and a short waist; the division given lies two voxels too far on either side."""
    waist = (np.hypot(POINTS[..., 1], POINTS[..., 2]) <= 4) & (np.abs(POINTS[..., 0]) < 12)
    balls = [np.linalg.norm(POINTS - (side * 10, 0, 0), axis=-1) <= 8 for side in (-1, 1)]
    lumen = waist | balls[0] | balls[1]
    for shift in (-2.0, 2.0):
        labels = np.where(lumen, np.where(POINTS[..., 0] > shift, 2, 1), 0).astype(np.uint8)
        divided = divide(labels)
        faces = ((divided[:-1] == 1) & (divided[1:] == 2)).sum()
        assert faces <= (np.hypot(POINTS[0, ..., 1], POINTS[0, ..., 2]) <= 4).sum()


def test_flips_change_nothing_and_a_second_time_little():
    labels = ragged(sphere_on_tube(height=11.0), np.random.default_rng(1))
    divided = divide(labels)
    flipped = np.ascontiguousarray(divide(np.ascontiguousarray(labels[:, ::-1]))[:, ::-1])
    assert dice(divided == 2, flipped == 2) > 0.998  # where two cuts are equal, either may come
    assert dice(divided == 2, divide(divided) == 2) > 0.98


@pytest.mark.parametrize("vessels", [True, False])
def test_what_has_no_neck_stays(vessels):
    labels = np.zeros(SHAPE, np.uint8)
    labels[30:35, 10:15, 10:15] = 2
    labels[2:5] = vessels
    assert np.array_equal(divide(labels), labels)
