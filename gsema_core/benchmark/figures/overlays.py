"""What every row finds in the same three cases (the paper's Fig. 3)."""

from __future__ import annotations

from collections.abc import Mapping
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

CHOSEN = (0.25, 0.5, 0.75)
"""Of the unseen cases in the order of the reference row's Dice: a poor, a middling and a good one,
chosen by a rule and not by eye. Ours."""


def draw_overlays(plan: Plan, cells: list[Cell], scores: Collected) -> Figure | None:
    """Three cases that the reference row scores differently; a line a case, a panel a row.

    Returns:
        None where no center has a finished cell.
    """
    seed = plan.seeds[0]
    finished = {
        center: [cell for cell in cells if cell.center == center and cell.seed == seed]
        for center in plan.centers
    }
    finished = {center: found for center, found in finished.items() if found}
    if not finished:
        return None
    lines = _chosen_cases(finished, scores)
    columns = max(map(len, finished.values()))
    figure = new_figure(2.2 * columns, 0.6 + 2.4 * len(lines))
    panels = figure.subplots(len(lines), columns, squeeze=False)
    for line, (center, number) in zip(panels, lines, strict=True):
        for panel in line:
            panel.axis("off")
        case = plan.unseen(center)[number]
        image, truth = read_case(case)
        view = _view(truth.array, image.geometry.spacing)
        for panel, cell in zip(line, finished[center], strict=False):
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


def _chosen_cases(finished: Mapping[str, list[Cell]], scores: Collected) -> list[tuple[str, int]]:
    """Center and number of the cases at the quantiles ``CHOSEN`` of the reference row's Dice."""
    dices = []
    for center, found in finished.items():
        row = reference_row([cell.row for cell in found])
        values = scores[row, center].values["dice"]
        dices += [(float(dice), center, number) for number, dice in enumerate(values)]
    places = sorted({round(share * (len(dices) - 1)) for share in CHOSEN})
    ordered = sorted(dices)
    return [ordered[place][1:] for place in places]
