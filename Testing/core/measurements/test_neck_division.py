"""Dividing at a plane: bodies whose parts are known by formula, and lumens that lead astray."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements.interface import Floats, Mask
from gsema_core.measurements.neck_division import Lumen, divide_at_plane

Point = Sequence[float]


class Labelled:
    """A label map's lumen, with planes in mm from the middle that ``draw`` draws around (LPS)."""

    def __init__(self, labels: Volume, middle: Floats) -> None:
        self.labels, self.middle = labels, middle
        self.lumen = Lumen(
            labels.array == VESSEL,
            labels.array == ANEURYSM,
            np.array(labels.geometry.spacing[::-1]),
        )

    def plane(self, center: Point, normal: Point) -> tuple[Floats, Floats]:
        geometry = self.labels.geometry
        with np.errstate(invalid="ignore"):  # some planes are none
            direction = geometry.direction_matrix.T @ normal
        index = np.asarray(geometry.world_to_index(np.add(center, self.middle)))
        return index[::-1] * self.lumen.spacing, direction[::-1]

    @property
    def points(self) -> Floats:
        k, j, i = np.indices(self.lumen.sac.shape)
        ijk = np.stack([i, j, k], axis=-1).reshape(-1, 3)
        world = self.labels.geometry.index_to_world(ijk) - self.middle
        return np.asarray(world.reshape(*self.lumen.sac.shape, 3))

    def heights(self, center: Point, normal: Point) -> Floats:
        return np.asarray((self.points - center) @ normal)

    def divide(self, center: Point, normal: Point) -> Mask:
        return divide_at_plane(self.lumen, *self.plane(center, normal))


@pytest.fixture
def labelled(draw: Callable, middle: Callable) -> Callable[..., Labelled]:
    def make(grid: Geometry, sacs: Sequence, vessels: Sequence = ()) -> Labelled:
        return Labelled(draw(grid, sacs, vessels), middle(grid))

    return make


def same(one: Mask, other: Mask) -> bool:
    """As a comparison whose failure prints one line."""
    return int((one != other).sum()) == 0


def unit(vector: Point) -> Floats:
    return np.asarray(vector) / np.linalg.norm(vector)


def cap_mm3(radius: float, above: float) -> float:
    """The part of a ball beyond a plane that lies ``above`` its middle."""
    height = radius - above
    return math.pi * height**2 * (3 * radius - height) / 3


@pytest.mark.parametrize("normal", [(0, 1, 0), (0.3, 0.9, -0.2), (-0.5, 0.6, 0.4)])
@pytest.mark.parametrize("above", [-0.9, 1.5])
def test_the_cap_of_a_sphere_on_a_tube(
    grid: Geometry, labelled: Callable, ball: Callable, tube: Callable, normal: Point, above: float
) -> None:
    vessel = tube((0, -3, -20), (0, -3, 20), 1.5)
    case = labelled(grid, [ball((0, 1.4, 0), 3.5)], [vessel])
    center = np.array([0, 1.4, 0]) + above * unit(normal)
    sac = case.divide(center, unit(normal))
    mm3 = np.count_nonzero(sac) * grid.voxel_volume_mm3
    # Half a voxel over the plane's section, where that lies along the layers.
    section = math.pi * (3.5**2 - above**2)
    tolerance = 0.5 * max(grid.spacing) * section + 0.01 * cap_mm3(3.5, -3.5)
    assert mm3 == pytest.approx(cap_mm3(3.5, above), abs=tolerance)
    expected = case.lumen.sac & (case.heights(center, unit(normal)) > 0)
    assert same(sac & case.lumen.sac, expected)
    assert np.count_nonzero(sac & case.lumen.vessel) <= 2  # where a tilted plane grazes the tube


def test_a_plane_decides_by_the_centers_of_voxels(plain: Geometry) -> None:
    array = np.zeros(plain.shape, dtype=np.uint8)
    array[10:20, 20:30, 20:30], array[20:30, 20:30, 20:30] = VESSEL, ANEURYSM
    lumen = Lumen(array == VESSEL, array == ANEURYSM, np.array([0.3, 0.3, 0.3]))
    middle = np.array([0.0, 7.3, 7.4])
    for k, first in ((22.01, 23), (22.49, 23), (22.99, 23), (23, 24), (23.01, 24), (19.5, 20)):
        sac = divide_at_plane(lumen, np.add(middle, (k * 0.3, 0, 0)), np.array([5.0, 0, 0]))
        assert np.flatnonzero(sac.any(axis=(1, 2)))[0] == first
        assert np.count_nonzero(sac) == 100 * (30 - first)
    # Into the vessel: what lies beneath the opening, which is all of this one.
    sac = divide_at_plane(lumen, np.add(middle, (14.2 * 0.3, 0, 0)), np.array([1.0, 0, 0]))
    assert np.count_nonzero(sac) == 100 * 15


@pytest.fixture
def bent(draw: Callable, ball: Callable, tube: Callable, middle: Callable) -> Labelled:
    """A sac on a vessel whose far part, after a bend, rises beside the dome and above it."""
    grid = Geometry((75, 61, 47), (0.3, 0.35, 0.4), (-4.0, 9.0, 33.0))
    vessels = [tube((-9, -4, -1), (1, -3, 0), 1.3), tube((1, -3, 0), (8, -3.6, 0.4), 1.2)]
    vessels.append(tube((8, -3.6, 0.4), (8.2, 9, 1), 1.2))
    labels = draw(grid, [ball((1.2, 0.4, 0.4), 2.9)], vessels)
    return Labelled(labels, middle(grid))


@pytest.mark.parametrize("height", [-1.4, -0.5, 0.8, 2.0])
@pytest.mark.parametrize("normal", [(0, 1, 0), (0.3, 1, 0.1), (-0.4, 1, -0.2)])
def test_a_vessel_that_curves_to_the_domes_side_stays_one(
    bent: Labelled, height: float, normal: Point
) -> None:
    sac = bent.divide((1.2, height, 0.4), normal)
    rising = bent.lumen.vessel & (bent.heights((6.5, 0, 0), (1, 0, 0)) > 0)
    assert (rising & (bent.heights((1.2, height, 0.4), normal) > 0)).any()
    assert not (sac & rising).any()
    assert not (sac & ~bent.lumen.sac).any() or height < 0
    assert same(
        sac & bent.lumen.sac, bent.lumen.sac & (bent.heights((1.2, height, 0.4), normal) > 0)
    )


def test_planes_may_be_tried_in_any_order(bent: Labelled) -> None:
    planes = [((1.2, y, 0.4), (x, 1, 0.1)) for y in (-2.2, -1, 0.3, 1.9) for x in (-0.4, 0, 0.5)]
    forth = [bent.divide(*plane) for plane in planes]
    back = [bent.divide(*plane) for plane in reversed(planes)]
    for one, other in zip(forth, reversed(back), strict=True):
        assert same(one, other)
    assert len({one.tobytes() for one in forth}) == len(planes)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product((1, -1), repeat=3)))
def test_the_order_and_direction_of_the_axes_change_nothing(
    bent: Labelled, order: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    lumen, shape = bent.lumen, np.array(bent.lumen.sac.shape)

    def turned(mask: Mask) -> Mask:
        flipped = mask[tuple(slice(None, None, flip) for flip in flips)]
        return np.ascontiguousarray(flipped.transpose(order))

    other = Lumen(turned(lumen.vessel), turned(lumen.sac), lumen.spacing[list(order)])
    for center, normal in (((1.2, -1.5, 0.4), (0.3, 1, 0.1)), ((1.2, 1, 0), (0, 1, 0.2))):
        point, direction = bent.plane(center, normal)
        flip = np.array(flips)
        point = np.where(flip < 0, (shape - 1) * lumen.spacing - point, point)[list(order)]
        found = divide_at_plane(other, point, (direction * flip)[list(order)])
        assert same(found, turned(bent.divide(center, normal)))


def test_in_the_vessel_the_circle_and_the_old_opening_limit_it(
    plain: Geometry, labelled: Callable, ball: Callable, tube: Callable
) -> None:
    """A plane that lies in a straight vessel would cut it along from end to end."""
    vessel = tube((0, -3, -20), (0, -3, 20), 2.0)
    case = labelled(plain, [ball((0, 1.0, 0), 2.9)], [vessel])
    before, previous = np.count_nonzero(case.lumen.sac), 0
    for depth in (1.3, 1.8, 2.4, 3.0):
        sac = case.divide((0, -depth, 0), (0, 1, 0))
        gained = sac & case.lumen.vessel
        assert (case.heights((0, -depth, 0), (0, 1, 0))[gained] > 0).all()
        along = np.abs(case.heights((0, 0, 0), (0, 0, 1))[gained])
        assert along.max() <= 2.3 + 0.3  # the opening is 4.4 mm long, the circle 4 mm wide
        assert np.count_nonzero(gained) > previous
        previous = np.count_nonzero(gained)
        assert np.count_nonzero(sac) - before <= previous
    column = math.pi * 2.2**2 * 2  # from the opening down to the vessel's axis
    assert previous * plain.voxel_volume_mm3 == pytest.approx(column, rel=0.25)


@pytest.mark.parametrize("normal", [(0, 1, 0), (0.2, 1, 0.15)])
def test_the_rest_of_a_dome_that_was_called_vessel_becomes_sac(
    grid: Geometry, labelled: Callable, ball: Callable, tube: Callable, normal: Point
) -> None:
    """Only the tip was found; the plane goes down beyond the widest place, to the neck."""
    dome, tip = ball((0, 1.2, 0), 3.6), ball((0, 4.2, 0), 1.9)
    vessel = tube((0, -3, -20), (0, -3, 20), 1.5)
    sac_drawn = [lambda points: dome(points) & tip(points)]
    rest = [lambda points: dome(points) & ~tip(points), vessel]
    case = labelled(grid, sac_drawn, rest)
    center = (0, -0.3, 0)
    sac = case.divide(center, unit(normal))
    beyond = case.heights(center, unit(normal)) > 0
    assert same(sac, beyond & dome(case.points))
    assert np.count_nonzero(sac) > 3 * np.count_nonzero(case.lumen.sac)


@pytest.mark.parametrize(
    ("branch", "far"),
    [
        ([(3, 1.2, 0), (9, 1.2, 0)], 5.2),  # longer than the sac reaches, but it ends
        ([(2, 1.2, 0), (4.2, 1.2, 0), (4.2, -2.2, 0)], 4.0),  # crosses the plane beside the neck
        ([(0, 1.2, 0), (0, 1.2, 9)], 4.0),  # leaves the box soon
    ],
)
def test_a_branch_of_the_dome_does_not_become_sac_with_its_rest(
    labelled: Callable, ball: Callable, tube: Callable, branch: list[Point], far: float
) -> None:
    grid = Geometry((67, 67, 51), (0.3, 0.3, 0.3))
    dome, tip = ball((0, 1.2, 0), 3.3), ball((0, 4.2, 0), 1.9)
    bleb = tube((0, 4, 0), (0, 7, 0), 0.8)
    vessels = [tube(one, other, 0.7) for one, other in itertools.pairwise(branch)]
    drawn = [lambda points: dome(points) & tip(points)]
    rest = [lambda points: dome(points) & ~tip(points), tube((-9, -3, 0), (9, -3, 0), 1.5)]
    case = labelled(grid, [*drawn, bleb], [*rest, *vessels])
    case.lumen = Lumen(case.lumen.vessel[:46], case.lumen.sac[:46], case.lumen.spacing)
    sac = divide_at_plane(case.lumen, *case.plane((0, -0.3, 0), (0, 1, 0)))
    outside = np.linalg.norm(case.points - (0, 1.2, 0), axis=-1)[:46] > far
    assert (outside & case.lumen.vessel & (case.heights((0, -0.3, 0), (0, 1, 0))[:46] > 0)).any()
    assert np.count_nonzero(sac & outside & case.lumen.vessel) == 0
    assert sac.any()


def test_a_bump_of_the_vessel_beside_the_sac_stays_vessel() -> None:
    vessel, sac = np.zeros((9, 15, 15), dtype=bool), np.zeros((9, 15, 15), dtype=bool)
    vessel[1:3], sac[3:7, 5:10, 3:8], vessel[3, 7, 10] = True, True, True
    lumen = Lumen(vessel, sac, np.ones(3))
    assert same(divide_at_plane(lumen, np.array([2.5, 7, 6]), np.array([1.0, 0, 0])), sac)


def test_a_bulge_that_hangs_below_the_plane_beside_the_neck_stays_sac(
    plain: Geometry, labelled: Callable, ball: Callable, tube: Callable
) -> None:
    vessel = tube((0, -3, -20), (0, -3, 20), 1.2)
    hanging = tube((3.5, 1.5, 0), (5.5, -4.5, 0), 1.2)
    case = labelled(plain, [ball((0, 1.0, 0), 3.4), hanging], [vessel])
    sac = case.divide((0, -1.2, 0), (0, 1, 0))
    below = case.lumen.sac & (case.heights((3.4, 0, 0), (1, 0, 0)) > 0)
    assert (below & (case.heights((0, -1.2, 0), (0, 1, 0)) < 0)).any()
    assert (sac & below).sum() == below.sum()


def test_the_section_of_a_fork_has_both_branches_beneath(
    grid: Geometry, labelled: Callable, ball: Callable, tube: Callable
) -> None:
    vessels = [tube((0, -20, 0), (0, -2.5, 0), 1.5)]
    vessels += [tube((0, -2.5, 0), (9, 1.0, 0), 1.1), tube((0, -2.5, 0), (-9, 1.0, 0), 1.1)]
    case = labelled(grid, [ball((0, 1.0, 0), 3.2)], vessels)
    for depth in (1.0, 1.6):
        sac = case.divide((0, -depth, 0), (0, 1, 0))
        far = np.abs(case.heights((0, 0, 0), (1, 0, 0))) > 3.6
        assert not (sac & far & case.lumen.vessel).any()
        assert (far & case.lumen.vessel & (case.heights((0, -depth, 0), (0, 1, 0)) > 0)).any()
    sac = case.divide((0, 0.5, 0), (0.1, 1, 0))
    assert same(sac, case.lumen.sac & (case.heights((0, 0.5, 0), (0.1, 1, 0)) > 0))


def test_what_is_neither_is_never_touched(
    plain: Geometry, draw: Callable, middle: Callable, ball: Callable, tube: Callable
) -> None:
    """A second aneurysm beside the first, and a vessel of its own across the plane."""
    vessel, crossing = tube((0, -3, -20), (0, -3, 20), 1.5), tube((5.5, -9, 0), (5.5, 9, 0), 1.0)
    labels = draw(plain, [ball((0, 0.5, 0), 3.0), ball((0, -0.4, 5.2), 2.4)], [vessel, crossing])
    first = draw(plain, [ball((0, 0.5, 0), 3.0)], [vessel, crossing])
    sac = first.array == ANEURYSM
    case = Labelled(labels, middle(plain))
    case.lumen = Lumen(labels.array == VESSEL, sac, case.lumen.spacing)
    for height in (-2.0, -1.0, 0.5, 1.5):
        found = case.divide((0, height, 0), (0.1, 1, 0))
        assert not (found & ~(case.lumen.vessel | sac)).any()
        assert not (found & (case.heights((4.2, 0, 0), (1, 0, 0)) > 0)).any()
        assert found.any()


def test_other_pieces_of_the_sac_stay(
    plain: Geometry, labelled: Callable, ball: Callable, tube: Callable
) -> None:
    vessel = tube((0, -3, -20), (0, -3, 20), 1.5)
    case = labelled(
        plain, [ball((0, 1, 0), 3), ball((0, -6.5, 3), 1), ball((6, 6, 6), 1)], [vessel]
    )
    sac = case.divide((0, 1.5, 0), (0, 1, 0))
    main = np.linalg.norm(np.argwhere(case.lumen.sac) * 0.3 - 10, axis=1) < 5
    others = case.lumen.sac.copy()
    others[tuple(np.argwhere(case.lumen.sac)[main].T)] = False
    assert others.any()
    assert (sac & others).sum() == others.sum()


def test_layers_of_one_voxel(plain: Geometry) -> None:
    """A disc, a needle and a single voxel on a slab; coarse along the normal."""
    spacing = np.array([2.0, 0.5, 0.5])
    vessel = np.zeros((7, 9, 9), dtype=bool)
    vessel[2] = True
    for place, plane, left in (
        (np.s_[3, 2:7, 2:7], 5.0, 25),
        (np.s_[3:6, 4, 4], 5.0, 3),
        (np.s_[3:6, 4, 4], 7.0, 2),
        (np.s_[3:6, 4, 4], 9.9, 1),
        (np.s_[3, 4, 4], 5.0, 1),
    ):
        sac = np.zeros_like(vessel)
        sac[place] = True
        found = divide_at_plane(
            Lumen(vessel, sac, spacing), np.array([plane, 2.0, 2.0]), np.array([1.0, 0, 0])
        )
        assert np.count_nonzero(found) == left
        assert not (found & ~sac).any()


def test_parts_that_touch_at_corners_are_connected() -> None:
    sac = np.zeros((12, 12, 12), dtype=bool)
    vessel = sac.copy()
    steps = np.arange(2, 10)
    sac[steps[4:], steps[4:], steps[4:]] = True
    vessel[steps[:4], steps[:4], steps[:4]] = True
    lumen = Lumen(vessel, sac, np.ones(3))
    normal = np.ones(3)
    for last, count in ((3.5, 6), (5.5, 4), (7.5, 2)):
        found = divide_at_plane(lumen, np.full(3, last), normal)
        assert np.count_nonzero(found) == count


@pytest.mark.parametrize(
    ("center", "normal", "words"),
    [
        ((0, 9, 0), (0, 1, 0), "crosses neither.*move its center to the neck"),
        ((0, -1, 0), (0, -1, 0), "turned over"),
        ((0, -1, 0), (0, -0.2, 1), "turned over"),
        ((0, -4.4, -9), (0, 0.02, 1), "away from the aneurysm"),
        ((0, -3, 8), (0, 0.1, 1), "Nothing of the aneurysm lies beyond"),
        ((0, -3, -8), (0, 0.1, 1), "away from the aneurysm"),
        ((0, -1, 0), (0, 0, 0), "no plane"),
        ((0, np.nan, 0), (0, 1, 0), "no plane"),
        ((0, -1, 0), (0, np.inf, 0), "no plane"),
    ],
)
def test_what_does_not_separate_a_sac_is_refused(
    plain: Geometry, labelled: Callable, ball: Callable, tube: Callable,
    center: Point, normal: Point, words: str,
) -> None:  # fmt: skip
    case = labelled(plain, [ball((0, 1, 0), 3)], [tube((0, -3, -20), (0, -3, 20), 1.5)])
    with pytest.raises(UserError, match=words):
        case.divide(center, normal)


@pytest.mark.parametrize("length", [1e-300, 1.0, 1e300])
def test_a_normal_may_have_any_length(length: float) -> None:
    sac = np.zeros((9, 9, 9), dtype=bool)
    sac[2:7, 2:7, 2:7] = True
    lumen = Lumen(np.zeros_like(sac), sac, np.ones(3))
    with np.errstate(all="raise"):
        found = divide_at_plane(lumen, np.array([3.5, 4, 4]), np.array([length, 0, 0]))
    assert np.count_nonzero(found) == 75


def test_an_aneurysm_without_a_vessel_can_be_cut() -> None:
    sac = np.zeros((9, 9, 9), dtype=bool)
    sac[2:7, 2:7, 2:7] = True
    lumen = Lumen(np.zeros_like(sac), sac, np.ones(3))
    found = divide_at_plane(lumen, np.array([3.5, 4, 4]), np.array([1.0, 0, 0]))
    assert np.count_nonzero(found) == 75
    with pytest.raises(UserError, match="crosses neither"):
        divide_at_plane(Lumen(sac & False, sac & False, np.ones(3)), np.ones(3), np.ones(3))
