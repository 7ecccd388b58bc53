from __future__ import annotations

import numpy as np
import pytest

from gsema_core.measurements.interface import Faces, faces_between

SPACING = np.array([0.5, 0.3, 0.4])
START = np.array([10, 20, 30])


def block(low: tuple[int, ...], high: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros((12, 12, 12), dtype=bool)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def slab_and_box() -> Faces:
    """A box of 4 x 3 voxels that stands on a slab across the first axis."""
    return faces_between(block((5, 2, 2), (9, 6, 5)), block((2, 0, 0), (5, 12, 12)), SPACING, START)


def test_a_flat_interface() -> None:
    faces = slab_and_box()
    assert len(faces) == 12
    assert faces.areas == pytest.approx(0.3 * 0.4)
    np.testing.assert_allclose(faces.vectors.sum(axis=0), [12 * 0.12, 0, 0])
    np.testing.assert_allclose(faces.points[:, 0], (10 + 4.5) * 0.5)
    np.testing.assert_allclose(
        faces.points.mean(axis=0), (START + np.array([4.5, 3.5, 3.0])) * SPACING
    )


def test_the_other_way_round_it_points_the_other_way() -> None:
    sac, vessel = block((5, 2, 2), (9, 6, 5)), block((2, 0, 0), (5, 12, 12))
    there, back = (faces_between(*sets, SPACING, START) for sets in ((sac, vessel), (vessel, sac)))
    np.testing.assert_allclose(there.vectors.sum(axis=0), -back.vectors.sum(axis=0))


def test_the_rim_runs_around_it() -> None:
    points, lengths = slab_and_box().rim()
    assert len(points) == 2 * (4 + 3)
    assert lengths.sum() == pytest.approx(2 * (4 * 0.3 + 3 * 0.4))
    low, high = (np.array([2, 2]) - 0.5 + START[1:]), (np.array([6, 5]) - 0.5 + START[1:])
    np.testing.assert_allclose(points[:, 1:].min(axis=0), low * SPACING[1:])
    np.testing.assert_allclose(points[:, 1:].max(axis=0), high * SPACING[1:])
    np.testing.assert_allclose(points[:, 0], 14.5 * 0.5)


def test_a_closed_interface_has_no_rim_and_no_direction() -> None:
    sac = block((4, 4, 4), (7, 7, 7))
    faces = faces_between(sac, ~sac, SPACING, START)
    assert len(faces) == 6 * 9
    np.testing.assert_allclose(faces.vectors.sum(axis=0), 0, atol=1e-12)
    assert len(faces.rim()[0]) == 0


def test_parts_that_share_a_corner_are_one_patch() -> None:
    vessel = block((2, 0, 0), (5, 12, 12))
    apart = block((5, 1, 1), (6, 3, 3)) | block((5, 4, 4), (6, 5, 5))
    at_a_corner = block((5, 1, 1), (6, 3, 3)) | block((5, 3, 3), (6, 5, 5))
    sizes = sorted(len(patch) for patch in faces_between(apart, vessel, SPACING, START).patches())
    assert sizes == [1, 4]
    (whole,) = faces_between(at_a_corner, vessel, SPACING, START).patches()
    assert len(whole) == 8


def test_sets_that_do_not_touch() -> None:
    faces = faces_between(
        block((6, 2, 2), (9, 6, 5)), block((2, 0, 0), (5, 12, 12)), SPACING, START
    )
    assert len(faces) == 0
