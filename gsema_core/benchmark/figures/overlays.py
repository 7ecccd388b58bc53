"""What every row finds in one case of each unseen center (the paper's Fig. 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from gsema_core.benchmark.figures.canvas import image_kind, new_figure
from gsema_core.benchmark.plan import Cell, Plan
from gsema_core.benchmark.prediction import predict
from gsema_core.benchmark.result_tables import Collected, reference_row
from gsema_core.datasets.case_files import read_case
from gsema_core.labels import ANEURYSM

MARGIN_MM = 12.0
"""Shown around the aneurysm: a neighboring vessel or two. Ours."""


def draw_overlays(plan: Plan, cells: list[Cell], scores: Collected) -> Figure | None:
    """The case that the reference row scores in the middle; a line a center, a panel a row.

    Returns:
        None where no center has a finished cell.
    """
    seed = plan.seeds[0]
    lines = {
        center: [cell for cell in cells if cell.center == center and cell.seed == seed]
        for center in plan.centers
    }
    lines = {center: found for center, found in lines.items() if found}
    if not lines:
        return None
    columns = max(len(found) for found in lines.values())
    figure = new_figure(2.2 * columns, 0.6 + 2.4 * len(lines))
    panels = figure.subplots(len(lines), columns, squeeze=False)
    for line, (center, found) in zip(panels, lines.items(), strict=True):
        for panel in line:
            panel.axis("off")
        number = _middle_case(found, scores, center)
        case = plan.unseen(center)[number]
        image, truth = read_case(case)
        view = _view(truth.array, image.geometry.spacing)
        for panel, cell in zip(line, found, strict=False):
            predicted = predict(plan, cell, case)
            _draw(panel, image.array[view], truth.array[view], predicted.array[view])
            dice = scores[cell.row, center].values["dice"][number]
            panel.set_title(f"{plan.method(cell.row).title}\n{center}: Dice {dice:.2f}", fontsize=8)
    figure.suptitle(
        f"Reference (white), result (orange)\n{image_kind(plan)} of unseen centers", fontsize=9
    )
    return figure


def _view(
    labels: npt.NDArray[Any], spacing: tuple[float, float, float]
) -> tuple[int, slice, slice]:
    """Where to look: the slice in which the aneurysms are widest, cropped around them."""
    aneurysm = labels == ANEURYSM
    widest = int(aneurysm.sum(axis=(1, 2)).argmax())
    found = np.argwhere(aneurysm[widest])
    if not len(found):
        found = np.array([[0, 0], labels.shape[1:]])
    margins = np.ceil(MARGIN_MM / np.array(spacing[1::-1])).astype(int)
    low = np.maximum(found.min(axis=0) - margins, 0)
    high = np.minimum(found.max(axis=0) + margins + 1, labels.shape[1:])
    return widest, slice(low[0], high[0]), slice(low[1], high[1])


def _draw(
    panel: Any, image: npt.NDArray[Any], truth: npt.NDArray[Any], predicted: npt.NDArray[Any]
) -> None:
    panel.imshow(image, cmap="gray", vmax=np.percentile(image, 99.5))
    for labels, color in ((truth, "white"), (predicted, "tab:orange")):
        mask = labels == ANEURYSM
        if mask.any():
            panel.contour(mask, levels=[0.5], colors=[color], linewidths=1.2)


def _middle_case(found: list[Cell], scores: Collected, center: str) -> int:
    row = reference_row([cell.row for cell in found])
    dice = scores[row, center].values["dice"]
    return int(np.argsort(dice)[len(dice) // 2])
