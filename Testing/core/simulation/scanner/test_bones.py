"""Every kind of bone is there, leaves room for arteries, and can hold marrow and air."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.grids import Geometry
from gsema_core.simulation.scanner.bone_shapes import Space
from gsema_core.simulation.scanner.bones import KINDS, draw_bones

GRID = Geometry((40, 40, 40), (1.5,) * 3, (0.0,) * 3)
NO_LUMEN = np.zeros(GRID.shape, bool)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_bone_in_part_of_the_volume_and_drawn_by_its_seed(kind, quick):
    protocol = quick("A", bones=(kind,), bone_hu=1000.0)
    draws = [draw_bones(NO_LUMEN, GRID, protocol, np.random.default_rng(n)) for n in range(5)]
    shares = [float(np.mean(draw > 500)) for draw in draws]
    assert 0.001 < max(shares) < 0.7
    assert max(float(draw.max()) for draw in draws) < 2300
    again = draw_bones(NO_LUMEN, GRID, protocol, np.random.default_rng(4))
    assert np.array_equal(again, draws[4])


def test_no_bone_lies_within_the_gap_around_a_lumen(quick):
    lumen = np.zeros(GRID.shape, bool)
    lumen[:, 15:25, 15:25] = True
    for kind in KINDS:
        protocol = quick("A", bones=(kind,), bone_gap_mm=1.6)
        bones = draw_bones(lumen, GRID, protocol, np.random.default_rng(1))
        assert np.abs(bones[lumen]).max() < 100, kind


def test_bone_at_the_edge_reaches_a_face_and_not_the_middle():
    depth = KINDS["edge"](Space.of(GRID), np.random.default_rng(0)).depth
    inside = depth > 0
    faces = [np.take(inside, end, axis) for axis in range(3) for end in (0, -1)]
    assert any(face.any() for face in faces)
    assert not inside[17:23, 17:23, 17:23].any()


def test_marrow_and_cells_are_within_thick_bone(quick):
    def drawn(**changes: float) -> np.ndarray:
        protocol = quick("A", bones=("vertebra",), bone_hu=1000.0, **changes)
        return draw_bones(NO_LUMEN, GRID, protocol, np.random.default_rng(0))

    solid, marrow, cells = drawn(), drawn(marrow=0.6), drawn(air_cells=0.4)
    bone = solid > 700
    thinned = marrow[bone] < 0.7 * solid[bone]
    assert 0.05 < thinned.mean() < 0.95  # not its outer layer
    assert cells.min() < -700
    assert solid.min() > -100
