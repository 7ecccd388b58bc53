"""Faults are found, each by its own sentence."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.surfaces import TriangleMesh

CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
SIDES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def mesh(points: np.ndarray, triangles: np.ndarray) -> TriangleMesh:
    return TriangleMesh(points, triangles, np.ones(len(triangles), np.uint8))


def test_tetrahedron() -> None:
    whole = mesh(CORNERS, SIDES)
    assert whole.fault() == "" and whole.loops() == []
    assert whole.volume_mm3 == pytest.approx(1 / 6)
    assert whole.areas.sum() == pytest.approx(1.5 + np.sqrt(3) / 2)


def test_an_open_end_counts_as_closed_by_its_plane() -> None:
    opened = mesh(CORNERS + 5, SIDES[1:])
    assert opened.fault() == "" and [len(loop) for loop in opened.loops()] == [3]
    assert opened.volume_mm3 == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    ("triangles", "words"),
    [
        (np.vstack([SIDES, [[0, 2, 4]]]), "more than two triangles"),
        (np.vstack([SIDES[:3], SIDES[3:, ::-1]]), "opposite sides"),
        (np.vstack([SIDES, [[4, 5, 5]]]), "."),
        (np.vstack([SIDES, SIDES + 4 - 4 * (SIDES == 0)]), "touch nowhere else"),
    ],
    ids=["fin", "flipped", "flat", "tip to tip"],
)
def test_faults(triangles: np.ndarray, words: str) -> None:
    points = np.vstack([CORNERS, -CORNERS - 0.1])
    assert words.strip(".") in mesh(points, triangles).fault()
    assert mesh(points, triangles).fault()


def test_volume_is_reached() -> None:
    assert mesh(CORNERS, SIDES).with_volume(0.168).volume_mm3 == pytest.approx(0.168, rel=5e-3)
