"""Dice on every unseen center, a box a row."""

from __future__ import annotations

from matplotlib.figure import Figure

from gsema_core.benchmark.figures.canvas import image_kind, new_figure, row_colors
from gsema_core.benchmark.plan import Plan
from gsema_core.benchmark.result_tables import Collected


def draw_boxes(plan: Plan, scores: Collected) -> Figure:
    """Median, quartiles, whiskers to 1.5 IQR and every case as a dot."""
    centers = [center for center in plan.centers if any(key[1] == center for key in scores)]
    figure = new_figure(5 + 2.5 * len(centers), 4)
    axes = figure.subplots()
    colors = row_colors(plan)
    width = 0.8 / len(plan.rows)
    for place, center in enumerate(centers):
        for number, row in enumerate(plan.rows):
            if (row, center) not in scores:
                continue
            x = place + width * (number + 0.5) - 0.4
            dice = scores[row, center].values["dice"]
            drawn = axes.boxplot(
                [dice],
                positions=[x],
                widths=0.7 * width,
                showfliers=False,
                patch_artist=True,
                medianprops={"color": "black"},
                label=plan.method(row).title if place == 0 else "",
            )
            drawn["boxes"][0].set(facecolor=colors[row], alpha=0.6)
            axes.plot([x] * len(dice), dice, ".", color="black", ms=3, alpha=0.5)
    axes.set_xticks(range(len(centers)), [f"unseen center {center}" for center in centers])
    axes.set_ylabel("aneurysm Dice of a case")
    axes.set_ylim(-0.03, 1)
    axes.set_title(f"Dice on centers unseen in training ({image_kind(plan)})")
    figure.legend(loc="outside right upper")
    return figure
