"""Dice against the size of the aneurysm."""

from __future__ import annotations

from matplotlib.figure import Figure

from gsema_core.benchmark.figures.canvas import image_kind, new_figure, row_colors
from gsema_core.benchmark.plan import Plan
from gsema_core.benchmark.result_tables import Collected


def draw_volumes(plan: Plan, scores: Collected) -> Figure:
    """A panel a row, a dot a case that has an aneurysm, a marker a center."""
    rows = [row for row in plan.rows if any(key[0] == row for key in scores)]
    columns = min(3, len(rows))
    lines = -(-len(rows) // columns)
    figure = new_figure(3.2 * columns, 0.5 + 2.7 * lines)
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
    colors = row_colors(plan)
    for panel, row in zip(panels, rows, strict=False):
        for center, marker in zip(plan.centers, "os^vDPX*", strict=False):
            if (row, center) in scores:
                each = scores[row, center]
                there = each.volumes_ml > 0
                panel.plot(
                    1000 * each.volumes_ml[there],
                    each.values["dice"][there],
                    marker,
                    color=colors[row],
                    alpha=0.7,
                    ms=4,
                    label=f"center {center}",
                )
        panel.set(title=plan.method(row).title, ylim=(-0.03, 1))
        panel.set_xscale("log")
    for panel in panels[len(rows) :]:
        panel.set_visible(False)
    panels[0].legend(fontsize="small")
    figure.supxlabel("aneurysm volume (mm³)")
    figure.supylabel("aneurysm Dice")
    figure.suptitle(f"Dice against volume on unseen centers ({image_kind(plan)})")
    return figure
