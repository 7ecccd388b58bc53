"""Drawings to be measured by another process, and its answers: JSON both ways."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gsema_core.grids.geometry import Geometry
from gsema_core.measurements.aneurysms import Aneurysm
from gsema_core.measurements.pieces import Drawing, measure_pieces


def order_text(drawing: Drawing, smallest_mm3: float, path: str | os.PathLike[str]) -> str:
    """Ask for what ``measure_pieces`` returns.

    Args:
        drawing, smallest_mm3: its arguments.
        path: a file for the voxels, which is written: uint8, (k, j, i), nothing else.

    Returns:
        One JSON object in one line.

    Raises:
        OSError: the file could not be written.
    """
    drawing.voxels.tofile(path)
    return json.dumps(
        {
            "path": os.fspath(path),
            "geometry": asdict(drawing.geometry),
            "limits": [[int(side.start), int(side.stop)] for side in drawing.limits],
            "smallest_mm3": smallest_mm3,
        }
    )


def answer_text(order: str) -> str:
    """Measure what ``order_text`` asks for; a JSON list in one line, numbers to the last bit."""
    asked = json.loads(order)
    geometry = Geometry(**asked["geometry"])
    voxels = np.fromfile(Path(asked["path"]), np.uint8).reshape(geometry.shape)
    limits = tuple(slice(*side) for side in asked["limits"])
    found = measure_pieces(Drawing(voxels, geometry, limits), asked["smallest_mm3"])
    return json.dumps([asdict(one) for one in found])


def aneurysms_of(answer: str) -> list[Aneurysm]:
    """The measurements in an answer, equal to those that ``measure_pieces`` returned.

    Raises:
        ValueError, TypeError, AttributeError: it is no answer.
    """
    return [
        Aneurysm(**{name: _tuples(value) for name, value in row.items()})
        for row in json.loads(answer)
    ]


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
