"""From where to look at an aneurysm; pure mathematics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DIRECTIONS = 400
"""Directions that are tried, about 10 degrees apart. Ours."""

STEEPEST = 0.85
"""Part of the body's axis in a direction; looking steeper down or up, people lose left and right.
Ours, 58 degrees."""

NEAR_MM = 10.0
"""The vessels that an aneurysm sits on lie within; ours."""


@dataclass(frozen=True)
class Look:
    """Where a camera is and looks; mm, in the coordinates of what it looks at (RAS)."""

    position: tuple[float, float, float]
    focus: tuple[float, float, float]
    radius: float


def lookAt(
    focus: np.ndarray, direction: np.ndarray, points: np.ndarray, angleDegrees: float
) -> Look:
    """Look at a place so that all points are in the picture.

    Args:
        focus: (3,), it gets into the middle.
        direction: (3,), unit vector from there to the camera.
        points: (n, 3), what is to be seen.
        angleDegrees: the whole angle of the picture from below to above.
    """
    radius = float(np.linalg.norm(points - focus, axis=1).max(initial=1.0))
    position = focus + direction * radius / np.sin(np.radians(angleDegrees) / 2)
    return Look(_point(position), _point(focus), radius)


def openDirection(focus: np.ndarray, radius: float, others: np.ndarray) -> np.ndarray:
    """The direction, a unit vector (3,), from which least lies before a ball.

    Where several are free, the one that points most away from the vessels beside it: the side
    from which the ball is nearest to the eye.

    Args:
        focus: (3,), the ball's middle, mm.
        radius: of the ball, mm.
        others: (n, 3), points of the surfaces that could hide it.
    """
    directions = _directions()
    relative = others - focus
    along = relative @ directions.T
    aside = np.sqrt(np.maximum((relative**2).sum(axis=1)[:, None] - along**2, 0))
    hidden = ((along > 0) & (aside < radius)).sum(axis=0)
    near = relative[np.linalg.norm(relative, axis=1) < radius + NEAR_MM]
    away = -(near if len(near) else relative).mean(axis=0) if len(relative) else directions[0]
    free = directions[hidden == hidden.min()]
    best: np.ndarray = free[(free @ away).argmax()]
    return best


def _directions() -> np.ndarray:
    """(n, 3) unit vectors spread evenly (a Fibonacci lattice), without the steep ones."""
    number = np.arange(DIRECTIONS) + 0.5
    height = 1 - 2 * number / DIRECTIONS
    turn = np.pi * (1 + np.sqrt(5)) * number
    side = np.sqrt(1 - height**2)
    all_ = np.column_stack([side * np.cos(turn), side * np.sin(turn), height])
    return np.asarray(all_[np.abs(height) <= STEEPEST])


def _point(vector: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in vector)
    return x, y, z
