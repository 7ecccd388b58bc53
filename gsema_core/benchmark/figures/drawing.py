"""All figures of what is finished."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gsema_core.benchmark.plan import Cell, Plan
from gsema_core.benchmark.records import Record
from gsema_core.benchmark.scores import collect
from gsema_core.files.atomic import make_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEEDED = ("matplotlib", "sklearn")


def draw_figures(
    plan: Plan, records: Mapping[Cell, Record], report: Callable[[str], None]
) -> list[Path]:
    """Draw what the finished cells allow into ``figures``.

    Returns:
        The PNG files; none, with a sentence to ``report``, where a library is missing.
    """
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        report('No figures were drawn: pip install "gsema_core[benchmark]" and repeat this.')
        return []
    from gsema_core.benchmark.figures.canvas import save
    from gsema_core.benchmark.figures.dice_by_center import draw_boxes
    from gsema_core.benchmark.figures.latents import draw_latents
    from gsema_core.benchmark.figures.overlays import draw_overlays
    from gsema_core.benchmark.figures.steps import draw_steps
    from gsema_core.benchmark.figures.volumes import draw_volumes

    scores, cells = collect(plan, records), [cell for cell in plan.cells if cell in records]
    figures: dict[str, Callable[[], Figure | None]] = {
        "dice-by-center": lambda: draw_boxes(plan, scores),
        "dice-against-volume": lambda: draw_volumes(plan, scores),
        "gate-over-steps": lambda: draw_steps(plan, cells),
        "latents": lambda: draw_latents(plan, cells),
        "overlays": lambda: draw_overlays(plan, cells, scores),
    }
    folder = make_folder(plan.output / "figures")
    drawn = []
    for name, draw in figures.items():
        report(f"Drawing {name}.")
        figure = draw()
        if figure is not None:
            drawn.append(save(figure, folder / f"{name}.png"))
    return drawn
