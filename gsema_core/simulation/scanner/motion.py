"""A head that moves: during a run, and between the mask run and the contrast run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from gsema_core.simulation.centers import Protocol

Vectors = npt.NDArray[np.float64]

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


def _direction(rng: np.random.Generator) -> Vectors:
    vector = rng.normal(size=3)
    return np.asarray(vector / np.linalg.norm(vector))
