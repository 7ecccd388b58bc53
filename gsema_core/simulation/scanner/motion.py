"""A head that moves: during a run, and between the mask run and the contrast run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial.transform import Rotation

from gsema_core.simulation.centers import Protocol

Floats = npt.NDArray[np.float32]
Vectors = npt.NDArray[np.float64]

MEAN_OF = 6
"""Poses that a moving image is the mean of, where it is not projected (ours)."""

JERK = 60.0
"""How sudden a sudden motion is: one over its share of the run, a fifth of a second (ours)."""


@dataclass(frozen=True, eq=False)
class Poses:
    """Where the head is at each view: turned around the isocenter, then shifted.

    Args:
        shifts_mm: (views, 3) along the gantry's axes (i, j, k).
        turns: (views, 3) rotation vectors in radians about the same axes.
    """

    shifts_mm: Vectors
    turns: Vectors

    def seen_from(self, points: Vectors) -> Vectors:
        """Points (views, 3) of the C-arm, in axes that move with the head."""
        return np.asarray(Rotation.from_rotvec(self.turns).inv().apply(points - self.shifts_mm))

    def along(self, vectors: Vectors) -> Vectors:
        """Directions (views, 3) of the C-arm, in axes that move with the head."""
        return np.asarray(Rotation.from_rotvec(self.turns).inv().apply(vectors))

    def after(self, shift_mm: Vectors, turn: Vectors) -> Poses:
        """The same motion of a head that lies elsewhere from the beginning (small turns)."""
        return Poses(self.shifts_mm + shift_mm, self.turns + turn)


def draw_motion(protocol: Protocol, rng: np.random.Generator) -> Poses | None:
    """How the head moves during one run, or None where it lies still."""
    if not (protocol.motion_mm or protocol.motion_deg):
        return None
    time = np.linspace(0.0, 1.0, protocol.views)
    if protocol.motion_at:
        course = 1.0 / (1.0 + np.exp(-JERK * (time - protocol.motion_at)))
    else:
        course = time + 0.15 * np.sin(2 * np.pi * (time + rng.random()))
    course = (course - course.mean())[:, None]  # the middle of the run decides where things are
    shift, turn = _direction(rng), _direction(rng)
    angle = np.deg2rad(protocol.motion_deg)
    return Poses(course * protocol.motion_mm * shift, course * angle * turn)


def draw_mask_offset(protocol: Protocol, rng: np.random.Generator) -> tuple[Vectors, Vectors]:
    """How the head lies in the mask run: its shift in mm, and its turn as a rotation vector."""
    shift = protocol.mask_shift_mm * _direction(rng)
    return shift, np.deg2rad(protocol.mask_turn_deg) * _direction(rng)


def still(views: int) -> Poses:
    """A head that does not move."""
    return Poses(np.zeros((views, 3)), np.zeros((views, 3)))


def moved(array: Floats, spacing_mm: float, shift_mm: Vectors, turn: Vectors) -> Floats:
    """An array (k, j, i) after a turn around its middle and a shift, both given as (i, j, k)."""
    back = Rotation.from_rotvec(turn).as_matrix().T[::-1, ::-1]  # from places to where they were
    middle = (np.array(array.shape) - 1) / 2
    offset = middle - back @ (middle + shift_mm[::-1] / spacing_mm)
    return np.asarray(
        ndimage.affine_transform(array, back, offset, order=1, mode="nearest"), dtype=np.float32
    )


def blurred_by(array: Floats, spacing_mm: float, poses: Poses | None) -> Floats:
    """The mean over some of a run's poses: what motion leaves in an image but for streaks."""
    if poses is None:
        return array
    views = np.linspace(0, len(poses.turns) - 1, MEAN_OF).round().astype(int)
    total = np.zeros(array.shape, np.float32)
    for view in views:
        total += moved(array, spacing_mm, poses.shifts_mm[view], poses.turns[view])
    return total / np.float32(MEAN_OF)


def _direction(rng: np.random.Generator) -> Vectors:
    vector = rng.normal(size=3)
    return np.asarray(vector / np.linalg.norm(vector))
