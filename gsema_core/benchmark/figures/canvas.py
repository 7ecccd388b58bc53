"""What all figures share: the library, the colors, the file."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.figure import Figure

from gsema_core.benchmark.plan import Plan
from gsema_core.files.atomic import atomic_path

DPI = 110
"""A page's width of pixels for the widest figure. Ours."""


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in inches, without a window or a global state."""
    return Figure(figsize=(width, height), layout="constrained")


def row_colors(plan: Plan) -> dict[str, Any]:
    """One color a row, the same in all figures."""
    colors = colormaps["tab10" if len(plan.rows) <= 10 else "tab20"].colors  # type: ignore[attr-defined]
    return dict(zip(plan.rows, itertools.cycle(colors), strict=False))


def image_kind(plan: Plan) -> str:
    """What every figure says that it shows."""
    return "simulated scans" if plan.simulated else "scans"


def save(figure: Figure, path: Path) -> Path:
    """Write a PNG file as a whole or not at all."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=DPI)
    return path
