"""Surfaces of shapes that are known by formula."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.surfaces import lumen_surface

X = np.array([1.0, 0.0, 0.0])
Y = np.array([0.0, 1.0, 0.0])


def voxels_mm3(labels: Volume) -> float:
    return np.count_nonzero(labels.array) * labels.geometry.voxel_volume_mm3


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 1.0, 2.0)])
@pytest.mark.parametrize("radius", [3.0, 6.0, 12.0])
def test_sphere(shapes: Any, radius: float, spacing: tuple[float, float, float]) -> None:
    labels = shapes.draw(radius + 3, shapes.ball(np.zeros(3), radius), None, spacing)
    surface = lumen_surface(labels, closed=True)
    mesh = surface.mesh
    assert mesh.fault() == "" and mesh.loops() == []
    assert mesh.volume_mm3 == pytest.approx(voxels_mm3(labels), rel=0.002)
    assert mesh.areas.sum() == pytest.approx(4 * math.pi * radius**2, rel=0.05)
    distances = np.linalg.norm(mesh.points - mesh.points.mean(axis=0), axis=1)
    assert np.std(distances) < 0.15 * max(spacing)  # steps of voxels have 0.29


@pytest.mark.parametrize("radius", [1.5, 2.5, 5.0])
def test_tubes_keep_their_width(shapes: Any, radius: float) -> None:
    """A plain windowed sinc filter takes a quarter of the volume of a vessel of 3 voxels."""
    for _ in range(3):
        axis = shapes.direction()
        labels = shapes.draw(24, shapes.tube(axis, radius, 18))
        mesh = lumen_surface(labels, closed=True).mesh
        middles = mesh.points[mesh.triangles].mean(axis=1)
        beside = abs(middles @ axis) < 8
        across = middles - (middles @ axis)[:, None] * axis
        assert np.linalg.norm(across[beside], axis=1).mean() == pytest.approx(radius, abs=0.12)
        assert mesh.areas[beside].sum() == pytest.approx(2 * math.pi * radius * 16, rel=0.06)
        assert mesh.volume_mm3 == pytest.approx(voxels_mm3(labels), rel=0.002)


def test_wide_vessels_do_not_pay_for_thin_ones(shapes: Any) -> None:
    """The volume is kept at every place, not in the sum."""
    thin = shapes.segment(np.zeros(3), 26 * X, 1.2)
    labels = shapes.draw(28, shapes.union(thin, shapes.ball(-16 * X, 8), shapes.tube(X, 1.2, 14)))
    mesh = lumen_surface(labels, closed=True).mesh
    corners = labels.geometry.world_to_index([[4.0, 0, 0], [20.0, 0, 0]])
    first, last = np.round(np.sort(corners[:, 0])).astype(int)
    wanted = np.count_nonzero(labels.array[:, :, first : last + 1])
    heights = mesh.points[:, 0]
    low, high = labels.geometry.index_to_world([[first - 0.5, 0, 0], [last + 0.5, 0, 0]])[:, 0]
    inside = mesh.points[mesh.triangles]
    beside = (inside[..., 0] > low).all(axis=1) & (inside[..., 0] < high).all(axis=1)
    # The volume beside an axis of length L by the flow through the wall: x / 2 dA.
    flow = (
        np.einsum("ni,ni->n", inside.mean(axis=1) * [0, 1, 1], mesh.area_vectors)[beside].sum() / 2
    )
    length = np.ptp(heights[np.unique(mesh.triangles[beside])])
    assert flow / length == pytest.approx(wanted / (high - low), rel=0.06)


@pytest.mark.parametrize(
    "direction",
    [
        np.eye(3),
        np.diag([-1.0, -1.0, 1.0]),
        np.diag([1.0, 1.0, -1.0]),
        np.eye(3)[[1, 2, 0]],
        np.linalg.qr(np.array([[3.0, 1, 0], [1, 2, 1], [0, 1, 4]]))[0],
    ],
    ids=["plain", "turned", "mirrored", "permuted", "oblique"],
)
def test_sac_on_a_tube_lies_where_it_is_on_every_grid(shapes: Any, direction: np.ndarray) -> None:
    sac = shapes.ball(7 * Y, 5.0)
    labels = shapes.draw(20, shapes.tube(X, 3.0, 16), sac, (0.8, 1.0, 1.2), direction)
    surface = lumen_surface(labels)
    mesh = surface.mesh
    assert mesh.fault() == "" and len(mesh.loops()) == len(surface.ends) == 2
    assert surface.closed_mm3 == pytest.approx(voxels_mm3(labels), rel=0.005)
    # The cap of a sphere whose other part is within the vessel: 2 pi r h, h from the neck up.
    apart = np.linalg.norm(mesh.points[mesh.triangles].mean(axis=1) - 7 * Y, axis=1)
    area = mesh.areas[mesh.labels == 2].sum()
    assert apart[mesh.labels == 2] == pytest.approx(5.0, abs=1.2)
    assert area == pytest.approx(2 * math.pi * 5 * 9.1, rel=0.08)
    for end in surface.ends:
        assert abs(end.center[0]) == pytest.approx(14.3, abs=1.5)
        assert abs(end.normal @ X) > math.cos(math.radians(3))
        assert end.normal @ end.center > 0  # outward
        assert end.radius_mm == pytest.approx(3.0, rel=0.08)
    outward = np.einsum("ni,ni->n", mesh.area_vectors, mesh.points[mesh.triangles].mean(axis=1))
    assert outward.sum() > 0


def test_the_openings_are_flat_and_across_the_vessel(shapes: Any) -> None:
    for _ in range(4):
        axis = shapes.direction()
        surface = lumen_surface(shapes.draw(26, shapes.tube(axis, 3.0, 20)))
        assert len(surface.ends) == 2
        for end in surface.ends:
            assert abs(end.normal @ axis) > math.cos(math.radians(4))
            heights = [
                (surface.mesh.points[loop] - end.center) @ end.normal
                for loop in surface.mesh.loops()
            ]
            assert min(abs(height).max() for height in heights) < 1e-6


@pytest.mark.parametrize("degrees", [0, 30, 50])
def test_vessels_that_leave_the_scan_are_cut_across_too(shapes: Any, degrees: float) -> None:
    angle = math.radians(degrees)
    axis = np.array([math.cos(angle), math.sin(angle), 0.1])
    axis /= np.linalg.norm(axis)
    labels = shapes.draw(22, shapes.tube(axis, 2.5))
    surface = lumen_surface(labels)
    assert len(surface.ends) == len(surface.mesh.loops()) == 2
    assert surface.notes == ("There is no aneurysm in this lumen.",)
    border = labels.geometry.world_to_index(surface.mesh.points)
    assert (border > 0.4).all() and (border < np.array(labels.geometry.size) - 1.4).all()
    for end in surface.ends:
        assert abs(end.normal @ axis) > math.cos(math.radians(5))
        assert end.radius_mm == pytest.approx(2.5, rel=0.05)


def tree(shapes: Any) -> Any:
    """A trunk with two branches, of which one forks again: four ends."""
    joints = [np.array(p, float) for p in [(-20, 0, 0), (0, 0, 0), (14, 14, 2), (12, -12, 0)]]
    ends = [np.array(p, float) for p in [(20, -12, 8), (18, -20, -6)]]
    return shapes.union(
        shapes.segment(joints[0], joints[1], 3.5),
        shapes.segment(joints[1], joints[2], 2.5),
        shapes.segment(joints[1], joints[3], 2.5),
        *(shapes.segment(joints[3], end, 1.8) for end in ends),
    )


def test_every_end_of_a_tree_is_open_but_not_its_sac(shapes: Any) -> None:
    sac = shapes.ball(np.array([2.0, 0.0, 6.0]), 4.0)
    labels = shapes.draw(25, tree(shapes), sac)
    surface = lumen_surface(labels)
    assert len(surface.ends) == len(surface.mesh.loops()) == 4
    assert surface.closed_ends == () and surface.notes == ()
    radii = sorted(end.radius_mm for end in surface.ends)
    assert radii == pytest.approx([1.8, 1.8, 2.5, 3.5], abs=0.25)
    lost = surface.closed_mm3 - surface.mesh.volume_mm3
    assert 0 < lost < 0.2 * surface.closed_mm3


def test_closed_ends_stay(shapes: Any) -> None:
    surface = lumen_surface(shapes.draw(25, tree(shapes)), closed=True)
    assert surface.ends == () and surface.mesh.loops() == []
    assert surface.mesh.volume_mm3 == pytest.approx(surface.labels_mm3, rel=1e-3)


def test_a_ring_of_vessels_has_no_end(shapes: Any) -> None:
    def ring(points: np.ndarray) -> np.ndarray:
        across = np.hypot(np.hypot(points[:, 0], points[:, 1]) - 12, points[:, 2])
        return across <= 2.5

    labels = shapes.draw(18, ring)
    surface = lumen_surface(labels)
    assert surface.ends == () and surface.closed_ends == ()
    assert surface.mesh.areas.sum() == pytest.approx(4 * math.pi**2 * 12 * 2.5, rel=0.05)
    tail = shapes.draw(24, shapes.union(ring, shapes.segment(12 * X, 23 * X, 2.0)))
    assert len(lumen_surface(tail).ends) == 1


def test_a_sac_with_the_label_of_vessels_is_not_opened(shapes: Any) -> None:
    labels = shapes.draw(20, shapes.union(shapes.tube(X, 2.5, 17), shapes.ball(7 * Y, 5.0)))
    surface = lumen_surface(labels)
    assert sorted(round(end.center[0]) for end in surface.ends) == [-16, 16]
    assert len(surface.mesh.loops()) == 2
    tip = shapes.union(shapes.segment(-17 * X, 5 * X, 2.0), shapes.ball(9 * X, 5.0))
    surface = lumen_surface(shapes.draw(20, tip))
    assert len(surface.ends) == len(surface.closed_ends) == 1 and surface.ends[0].center[0] < -10
    assert "1 vessel ends stay closed" in surface.notes[0]
    ball = lumen_surface(shapes.draw(11, shapes.ball(np.zeros(3), 8.0)))
    assert ball.ends == () and ball.mesh.loops() == []


def test_no_cut_takes_two_ends(shapes: Any) -> None:
    """Twigs that are hardly longer than wide stay, instead of going with their trunk's end."""
    fork = np.array([8.0, 0, 0])
    twigs = [shapes.segment(fork, fork + np.array([5.0, side, 0]), 1.7) for side in (-4, 4)]
    labels = shapes.draw(18, shapes.union(shapes.segment(-15 * X, fork, 3.0), *twigs))
    surface = lumen_surface(labels)
    assert len(surface.ends) + len(surface.closed_ends) >= 2
    assert surface.mesh.points[:, 0].max() > 11


def test_a_cut_far_from_the_end_is_told(shapes: Any) -> None:
    """Where a vessel leaves the scan aslant, it is whole only far from where its last voxel is."""
    angle = math.radians(65)
    axis = np.array([math.cos(angle), math.sin(angle), 0.0])
    whole = shapes.draw(26, shapes.tube(axis, 2.5))
    first = whole.geometry.index_to_world((14, 0, 0))
    narrow = Geometry((24, *whole.geometry.size[1:]), origin=tuple(first))
    surface = lumen_surface(Volume(np.ascontiguousarray(whole.array[:, :, 14:38]), narrow))
    assert [end.cut_off_mm > 7.5 for end in surface.ends] == [True, True]
    assert "2 vessels are cut far from their ends" in surface.notes[0]


def test_what_cannot_be_cut_is_told(shapes: Any) -> None:
    """A vessel that runs along the border, half of it outside, has a wall there that is none."""
    labels = shapes.draw(20, shapes.tube(X, 3.0))
    half = Volume(
        labels.array[: labels.array.shape[0] // 2],
        Geometry(
            (*labels.geometry.size[:2], labels.array.shape[0] // 2),
            labels.geometry.spacing,
            labels.geometry.origin,
        ),
    )
    surface = lumen_surface(half)
    assert any("of the wall are the scan's border" in note for note in surface.notes)
    assert len(surface.ends) + len(surface.closed_ends) == 2


def test_parts(shapes: Any) -> None:
    far = shapes.segment(np.array([-15.0, 8, 0]), np.array([15.0, 8, 0]), 2.0)
    near = shapes.segment(np.array([-10.0, -8, 0]), np.array([10.0, -8, 0]), 2.0)
    labels = shapes.draw(20, shapes.union(far, near))
    one, both = lumen_surface(labels), lumen_surface(labels, all_parts=True)
    assert len(one.ends) == 2 and "1 smaller parts" in one.notes[0]
    assert (one.mesh.points[:, 1] > 0).all()
    assert len(both.ends) == 4 and len(both.mesh.loops()) == 4
    assert both.closed_mm3 == pytest.approx(voxels_mm3(labels), rel=0.005)
    edges = both.mesh.edges
    graph = coo_array((np.ones(len(edges)), tuple(edges.T)), shape=(len(both.mesh.points),) * 2)
    assert connected_components(graph, directed=False)[0] == 2


def test_cavities_are_lumen(shapes: Any) -> None:
    hollow = shapes.draw(12, shapes.ball(np.zeros(3), 8))
    hollow.array[10:13, 10:13, 10:13] = 0
    surface = lumen_surface(hollow, closed=True)
    assert "1 cavities within the lumen, 27 voxels" in surface.notes[0]
    assert surface.mesh.volume_mm3 == pytest.approx(voxels_mm3(hollow) + 27, rel=0.002)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_voxels_the_sheet_is_a_manifold_and_crossings_are_told(seed: int) -> None:
    """Noise touches itself at edges and corners in every way there is."""
    array = (np.random.default_rng(seed).random((14, 15, 16)) > 0.5).astype(np.uint8)
    surface = lumen_surface(Volume(array, Geometry((16, 15, 14))), closed=True, all_parts=True)
    assert surface.mesh.fault() == ""
    assert any("The wall runs through itself" in note for note in surface.notes)


def test_nothing_labelled_is_explained() -> None:
    with pytest.raises(UserError, match="no vessel and no aneurysm"):
        lumen_surface(Volume(np.zeros((4, 4, 4), np.uint8), Geometry((4, 4, 4))))


def test_no_position_is_minus_zero() -> None:
    array = np.zeros((30, 9, 9), np.uint8)
    array[:, 2:7, 2:7] = 1
    surface = lumen_surface(Volume(array, Geometry((9, 9, 30), origin=(-4.0, -4.0, 0.0))))
    assert len(surface.ends) == 2
    for end, line in zip(surface.to_dict()["open_ends"], surface.lines()[2:], strict=True):
        for value in (*end["position_ras_mm"], *end["direction_ras"]):
            assert value != 0 or math.copysign(1, value) == 1
        assert "-0.0" not in line
