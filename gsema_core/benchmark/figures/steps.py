"""How the two domains' gradients agreed while the rows were trained."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from gsema_core.benchmark.figures.canvas import image_kind, new_figure, row_colors
from gsema_core.benchmark.plan import Cell, Plan
from gsema_core.training.metrics_table import TRAINING, read_metrics

PANELS = {
    "similarity": "cosine of source's and target's gradients",
    "gate_open_rate": "share of steps with an open gate",
}


def draw_steps(plan: Plan, cells: list[Cell]) -> Figure | None:
    """Cosine and gate rate over the steps, a line a row: the mean of its cells.

    Returns:
        None where no cell has a log with them.
    """
    logs = {cell: _log(plan, cell) for cell in cells}
    rows = [row for row in plan.rows if any(cell.row == row and logs[cell] for cell in cells)]
    if not rows:
        return None
    figure = new_figure(9.5, 3.6)
    axes = figure.subplots(1, 2)
    colors = row_colors(plan)
    # Rows with the same student lie on each other: the first ones are drawn wider.
    widths = [1.0 + 1.2 * n for n in reversed(range(len(rows)))]
    for row, width in zip(rows, widths, strict=True):
        found = [logs[cell] for cell in cells if cell.row == row and logs[cell]]
        length = min(len(log["step"]) for log in found)
        for panel, name in zip(axes, PANELS, strict=True):
            mean = np.mean([log[name][:length] for log in found], axis=0)
            panel.plot(found[0]["step"][:length], mean, color=colors[row], lw=width, alpha=0.8,
                       label=plan.method(row).title)  # fmt: skip
    for panel, title in zip(axes, PANELS.values(), strict=True):
        panel.set(xlabel="step", ylabel=title)
        panel.grid(alpha=0.3)
    axes[0].axhline(0, color="black", lw=0.8)
    axes[1].set_ylim(0, 1.03)
    axes[1].legend(fontsize="small", loc="lower left")
    figure.suptitle(f"Agreement of the domains ({image_kind(plan)})")
    return figure


def _log(plan: Plan, cell: Cell) -> dict[str, npt.NDArray[np.float64]]:
    rows = read_metrics(plan.output / cell.folder, TRAINING)
    if not rows or any(not row.get(name) for row in rows for name in PANELS):
        return {}
    return {name: np.array([float(row[name]) for row in rows]) for name in ("step", *PANELS)}
