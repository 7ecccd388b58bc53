"""What all figures share: the library, the colors, the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsema_core.benchmark.plan import Plan
from gsema_core.files.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110
"""A page's width of pixels for the widest figure. Ours."""


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in inches, without a window or a global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def row_colors(plan: Plan) -> dict[str, Any]:
    """One color a row, the same in all figures."""
    from matplotlib import colormaps

    return dict(zip(plan.rows, colormaps["tab10"].colors, strict=False))  # type: ignore[attr-defined]


def image_kind(plan: Plan) -> str:
    """What every figure says that it shows."""
    return "simulated scans" if plan.simulated else "scans"


def save(figure: Figure, path: Path) -> Path:
    """Write a PNG file as a whole or not at all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=DPI)
    return path


def spread(count: int, width: float = 0.8) -> Sequence[float]:
    """Positions of ``count`` neighbors around 0."""
    return [width * ((n + 0.5) / count - 0.5) for n in range(count)]
