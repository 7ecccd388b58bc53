from __future__ import annotations

import numpy as np

from gsema_core.surfaces.triangle_mesh import TriangleMesh, triangulated
from gsema_core.surfaces.voxel_wall import voxel_wall


def mesh(lumen: np.ndarray) -> TriangleMesh:
    wall = voxel_wall(lumen)
    triangles = triangulated(wall.points, wall.quads)
    return TriangleMesh(wall.points, triangles, np.ones(len(triangles), np.uint8))


def test_one_voxel() -> None:
    lumen = np.zeros((3, 4, 5), bool)
    lumen[1, 2, 3] = True
    wall = voxel_wall(lumen)
    assert (len(wall.points), len(wall.quads), wall.filled) == (8, 6, 0)
    assert (wall.owners == [1, 2, 3]).all()
    assert abs(wall.points - [1, 2, 3]).tolist() == [[0.5] * 3] * 8
    assert mesh(lumen).volume_mm3 == 1


def test_voxels_that_share_an_edge_or_a_corner_are_apart() -> None:
    for other in ((1, 1, 0), (1, 1, 1)):
        lumen = np.zeros((2, 2, 2), bool)
        lumen[0, 0, 0] = lumen[other] = True
        found = mesh(lumen)
        assert len(found.points) == 16 and found.fault() == "" and found.volume_mm3 == 2


def test_a_gap_between_two_edges_with_the_same_ends_is_filled() -> None:
    """Two voxels at a diagonal, joined by a voxel at either end of the edge that they share."""
    lumen = np.ones((3, 2, 2), bool)
    lumen[1, 0, 1] = lumen[1, 1, 0] = False
    assert voxel_wall(lumen).filled == 1
    assert mesh(lumen).fault() == ""
