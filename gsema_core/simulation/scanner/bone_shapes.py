"""Shapes of bone in mm: how deep a place lies within them.

Sizes are those of adult skulls (our choice within the usual range, where nothing else is said);
places are drawn anew for every scan, because a field of view may lie anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from gsema_core.grids import Geometry
from gsema_core.simulation.smooth_fields import smooth_field

Floats = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Space:
    """A gantry's grid in mm from its middle.

    Args:
        shape: (k, j, i) voxels.
        spacing: mm, isotropic.
        half: (i, j, k) half of the extent in mm.
    """

    shape: tuple[int, int, int]
    spacing: float
    half: Vector

    @classmethod
    def of(cls, geometry: Geometry) -> Space:
        size = np.array(geometry.size) * geometry.spacing
        return cls(geometry.shape, float(geometry.spacing[0]), size / 2)

    def axes(self, center: Vector) -> tuple[Floats, Floats, Floats]:
        """Places (x to the left, y up, z to the front) from a center, to be broadcast."""
        k, j, i = (
            (np.arange(n, dtype=np.float32) - (n - 1) / 2) * self.spacing - start
            for n, start in zip(self.shape, center[::-1], strict=True)
        )
        z, y, x = (axis.astype(np.float32) for axis in (k, j, i))
        return x[None, None, :], y[None, :, None], z[:, None, None]

    def turned(self, center: Vector, rotation: Rotation) -> tuple[Floats, Floats, Floats]:
        """Places from a center along turned axes; (k, j, i) each."""
        x, y, z = self.axes(center)
        matrix = rotation.as_matrix().T.astype(np.float32)
        along = [row[0] * x + row[1] * y + row[2] * z for row in matrix]
        return along[0], along[1], along[2]

    def somewhere(self, low: tuple[float, ...], high: tuple[float, ...],
                  rng: np.random.Generator) -> Vector:  # fmt: skip
        """A place between two, given in half extents (left, up, front)."""
        return np.asarray(rng.uniform(low, high) * self.half)

    def empty(self) -> Floats:
        """Depths without any bone."""
        return np.full(self.shape, -10.0, np.float32)

    def rough(self, size_mm: float, by_mm: float, rng: np.random.Generator) -> Floats:
        """What makes surfaces uneven: a field of that size and standard deviation, in mm."""
        return np.float32(by_mm) * smooth_field(self.shape, size_mm / self.spacing, rng)


@dataclass(frozen=True, eq=False)
class Piece:
    """Bone of one kind.

    Args:
        depth: (k, j, i) mm below the surface, negative outside; exact near the surface only.
        density: how dense it is over the protocol's bone, a number or (k, j, i).
        air: (k, j, i) share of air beside it, or None.
    """

    depth: Floats
    density: float | Floats = 1.0
    air: Floats | None = None


def ellipsoid(space: Space, center: Vector, semi_axes: Vector, rotation: Rotation) -> Floats:
    """Depth within an ellipsoid."""
    parts = zip(space.turned(center, rotation), semi_axes, strict=True)
    level = np.sqrt(sum((axis / np.float32(semi)) ** 2 for axis, semi in parts))
    return np.asarray((1.0 - level) * np.float32(min(semi_axes)), np.float32)


def slab(space: Space, center: Vector, half_sizes: Vector, rotation: Rotation) -> Floats:
    """Depth within a plate whose rim is round: an ellipsoid, but flatter."""
    thin = int(np.argmin(half_sizes))
    along = space.turned(center, rotation)
    rim = sum(
        (along[axis] / np.float32(half_sizes[axis])) ** 4 for axis in range(3) if axis != thin
    )
    return np.asarray(
        np.minimum(np.float32(half_sizes[thin]) - np.abs(along[thin]),
                   (1.0 - np.sqrt(np.sqrt(rim))) * np.float32(sorted(half_sizes)[1])),
        np.float32,
    )  # fmt: skip


def tube(space: Space, start: Vector, end: Vector, radius: float) -> Floats:
    """Depth within a straight rod with round ends."""
    x, y, z = space.axes(start)
    way = (end - start).astype(np.float32)
    along = (x * way[0] + y * way[1] + z * way[2]) / max(float(way @ way), 1e-6)
    along = np.clip(along, 0.0, 1.0)
    squared = (x - along * way[0]) ** 2 + (y - along * way[1]) ** 2 + (z - along * way[2]) ** 2
    return np.asarray(np.float32(radius) - np.sqrt(squared), np.float32)


def lumps(space: Space, rng: np.random.Generator) -> Piece:
    """Smooth lumps anywhere, more of them in the lower half."""
    depth = space.empty()
    for _ in range(int(rng.integers(2, 8))):
        center = space.somewhere((-1.1, -1.2, -1.1), (1.1, 0.7, 1.1), rng)
        semi_axes = rng.uniform(2.5, 6.0) * rng.uniform(0.7, 2.0, 3)
        depth = np.maximum(depth, ellipsoid(space, center, semi_axes, _any_turn(rng)))
    return Piece(depth + space.rough(5.0, rng.uniform(0.0, 0.8), rng), rng.uniform(0.7, 1.4))


def at_the_edge(space: Space, rng: np.random.Generator) -> Piece:
    """Large smooth bones whose rounded sides reach into the volume through its faces."""
    depth = space.empty()
    for _ in range(int(rng.integers(1, 4))):
        axis, side = int(rng.integers(3)), rng.choice([-1.0, 1.0])
        semi_axes = rng.uniform(10.0, 45.0, 3)
        center = rng.uniform(-0.9, 0.9, 3) * space.half
        center[axis] = side * (space.half[axis] + semi_axes[axis] - rng.uniform(2.0, 14.0))
        tilt = Rotation.from_rotvec(rng.normal(0.0, 0.25, 3))
        depth = np.maximum(depth, ellipsoid(space, center, semi_axes, tilt))
    return Piece(depth + space.rough(6.0, rng.uniform(0.0, 1.0), rng), rng.uniform(0.8, 1.4))


def skull_base_plates(space: Space, rng: np.random.Generator) -> Piece:
    """Petrous ridges, clivus, the sella's floor and back, clinoid processes, sphenoid wings."""
    at = space.somewhere((-0.7, -1.0, -0.7), (0.7, 0.1, 0.7), rng)
    tilt = Rotation.from_rotvec(rng.normal(0.0, 0.15, 3))

    def place(*mm: float) -> Vector:
        return np.asarray(at + tilt.apply(mm))

    def turn(about: str, degrees: float) -> Rotation:
        return tilt * Rotation.from_euler(about, degrees, degrees=True)

    slope = rng.uniform(30.0, 50.0)
    parts = [
        slab(space, place(0, -13, -12), np.array([11.0, 17.0, rng.uniform(2.5, 5.0)]),
             turn("x", slope)),  # clivus
        slab(space, place(0, 0, 0), np.array([7.0, rng.uniform(0.7, 1.4), 6.0]), tilt),  # floor
        slab(space, place(0, 4, -6.5), np.array([7.0, 5.0, rng.uniform(0.7, 1.5)]), tilt),  # back
    ]  # fmt: skip
    for side in (-1.0, 1.0):
        ridge = np.array([rng.uniform(20.0, 28.0), rng.uniform(6.0, 9.0), rng.uniform(6.0, 10.0)])
        parts += [
            ellipsoid(space, place(side * 27, -12, -16), ridge, turn("y", side * 40.0)),  # petrous
            tube(space, place(side * 12, 8, 8), place(side * 8, 7, -1), rng.uniform(1.2, 2.2)),
            slab(space, place(side * 26, 5, 12), np.array([17.0, rng.uniform(0.8, 1.8), 5.0]),
                 turn("z", side * rng.uniform(5, 20))),  # sphenoid wing
        ]  # fmt: skip
    depth = np.maximum.reduce(parts)
    return Piece(depth + space.rough(2.5, rng.uniform(0.3, 0.8), rng), rng.uniform(0.9, 1.3))


def sinus_walls(space: Space, rng: np.random.Generator) -> Piece:
    """Air of a sinus in thin walls, with septa: sphenoid, ethmoid, frontal, maxillary."""
    center = space.somewhere((-0.9, -1.0, -0.9), (0.9, 0.3, 0.9), rng)
    semi_axes = rng.uniform(8.0, 18.0, 3)
    cavity = ellipsoid(space, center, semi_axes, _any_turn(rng)) + space.rough(5.0, 1.2, rng)
    wall = rng.uniform(0.6, 1.6)
    depth = wall / 2 - np.abs(cavity + wall / 2)
    for _ in range(int(rng.integers(0, 4))):
        x, _, _ = space.turned(center + rng.normal(0.0, 5.0, 3), _any_turn(rng))
        septum = np.minimum(wall / 3 - np.abs(x + space.rough(8.0, 1.0, rng)), cavity)
        depth = np.maximum(depth, septum)
    air = np.clip(cavity / 0.4, 0.0, 1.0) * (1.0 - np.clip(depth / 0.4 + 0.5, 0.0, 1.0))
    return Piece(depth.astype(np.float32), rng.uniform(0.7, 1.3), air.astype(np.float32))


def orbits(space: Space, rng: np.random.Generator) -> Piece:
    """The thin walls of one or two eye sockets: cones that open to the front."""
    depth = space.empty()
    apex = space.somewhere((-0.5, -0.9, -0.8), (0.5, 0.5, 0.5), rng)
    for side in (-1.0, 1.0)[: int(rng.integers(1, 3))]:
        start = apex + np.array([side * rng.uniform(8.0, 14.0), 0.0, 0.0])
        turn = Rotation.from_euler("y", side * 22.0 + rng.normal(0, 4), degrees=True)
        x, y, z = space.turned(start, turn)
        across = np.hypot(x, y * np.float32(rng.uniform(0.9, 1.2))) + space.rough(4.0, 0.6, rng)
        wall = rng.uniform(0.7, 1.8)
        cone = wall / 2 - np.abs(across - 2.5 - np.float32(rng.uniform(0.4, 0.55)) * z)
        reach = np.minimum(z, np.float32(rng.uniform(30.0, 40.0)) - z)
        depth = np.maximum(depth, np.minimum(cone, reach))
    return Piece(depth.astype(np.float32), rng.uniform(0.7, 1.2))


def teeth(space: Space, rng: np.random.Generator) -> Piece:
    """A row of teeth in their jaw, the crowns denser than any bone."""
    middle = space.somewhere((-0.5, -1.0, -0.5), (0.5, -0.3, 0.5), rng)
    depth, density = space.empty(), np.ones(space.shape, np.float32)
    up = rng.choice([-1.0, 1.0])
    width, deep = rng.uniform(22.0, 27.0), rng.uniform(25.0, 35.0)
    enamel = rng.uniform(1.5, 2.2)
    for place in np.linspace(-1.0, 1.0, int(rng.integers(10, 15))):
        across, back = width * np.sin(place * np.pi / 2.2), deep * (1 - np.cos(place * np.pi / 2.2))
        root = middle + np.array([across, 0.0, -back])
        if np.any(np.abs(root) > space.half + 15.0):
            continue
        crown = root + np.array([0.0, up * 7.0, 0.0])
        size = rng.uniform(0.85, 1.15) * np.array([3.2, 4.5, 3.2]) * (1.0 + 0.35 * abs(place))
        tooth = ellipsoid(space, crown, size, Rotation.identity())
        density[tooth > -0.5] = enamel
        jaw = ellipsoid(space, root - [0.0, up * 3.0, 0.0], np.array([5.5, 8.0, 5.5]),
                        Rotation.identity())  # fmt: skip
        depth = np.maximum.reduce([depth, tooth, jaw, tube(space, crown, root, 1.8)])
    return Piece(depth, density)


def vault(space: Space, rng: np.random.Generator) -> Piece:
    """The skull's vault as a shell of 4 to 8 mm through the field of view."""
    radii = rng.uniform(60.0, 95.0, 3)
    toward = rng.normal([0.0, 0.3, 0.0], 1.0)
    toward /= np.linalg.norm(toward)
    on_surface = rng.uniform(-0.1, 0.95) * float(np.abs(toward) @ space.half)
    reach = float(np.sqrt(np.sum((radii * toward) ** 2)))
    inner = ellipsoid(space, (on_surface - reach) * toward, radii, Rotation.identity())
    inner = inner + space.rough(12.0, rng.uniform(0.2, 0.8), rng)
    thickness = rng.uniform(4.0, 8.0)
    return Piece((thickness / 2 - np.abs(inner + thickness / 2)).astype(np.float32),
                 rng.uniform(0.9, 1.3))  # fmt: skip


def struts(space: Space, rng: np.random.Generator) -> Piece:
    """Straight thin bones, as styloid processes and the edges of canals are."""
    depth = space.empty()
    for _ in range(int(rng.integers(1, 4))):
        start = space.somewhere((-0.9, -1.1, -0.9), (0.9, 0.4, 0.9), rng)
        way = rng.normal([0.0, -0.8, 0.0], 1.0)
        end = start + rng.uniform(8.0, 25.0) * way / np.linalg.norm(way)
        depth = np.maximum(depth, tube(space, start, end, rng.uniform(0.8, 2.2)))
        knob = ellipsoid(space, start, rng.uniform(2.5, 6.0, 3), _any_turn(rng))
        depth = np.maximum(depth, knob)
    return Piece(depth + space.rough(2.5, rng.uniform(0.2, 0.5), rng), rng.uniform(0.6, 1.1))


def vertebra(space: Space, rng: np.random.Generator) -> Piece:
    """A cervical vertebra: body, arch around the canal, transverse processes with their holes."""
    at = space.somewhere((-0.8, -1.0, -0.8), (0.8, 0.6, 0.8), rng)
    tilt = Rotation.from_rotvec(rng.normal(0.0, 0.25, 3))
    x, y, z = space.turned(at, tilt)
    scale = np.float32(rng.uniform(0.9, 1.2))
    height = 7.0 * scale - np.abs(y)
    round_body = np.sqrt((x / 1.25) ** 2 + z**2)
    body = np.minimum(8.0 * scale - round_body, height)
    ring = np.sqrt((x / 1.2) ** 2 + (z + 15.0 * scale) ** 2)
    arch = np.minimum(2.6 * scale - np.abs(ring - 9.5 * scale), height + 1.5)
    parts = [body, arch]
    for side in (-1.0, 1.0):
        hole = np.sqrt((x - side * 15.0 * scale) ** 2 + (z + 4.0 * scale) ** 2)
        parts.append(np.minimum(1.9 * scale - np.abs(hole - 4.6 * scale), height - 2.0))
        joint = at + tilt.apply([side * 13.0, rng.uniform(-2, 2), -12.0])
        parts.append(ellipsoid(space, joint, np.array([5.5, 8.0, 5.0]) * scale, tilt))
    spine = at + tilt.apply([0.0, -3.0, -24.0]), at + tilt.apply([0.0, -9.0, -42.0])
    parts.append(tube(space, *spine, 2.8 * float(scale)))
    depth = np.maximum.reduce(parts) + space.rough(4.0, 0.4, rng)
    return Piece(np.asarray(depth, np.float32), rng.uniform(0.8, 1.2))


def _any_turn(rng: np.random.Generator) -> Rotation:
    return Rotation.from_quat(rng.normal(size=4))
