"""What every row finds in one case of each unseen center (the paper's Fig. 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gsema_core.benchmark.figures.canvas import image_kind, new_figure
from gsema_core.benchmark.plan import Cell, Plan
from gsema_core.benchmark.prediction import predict
from gsema_core.benchmark.result_tables import Collected, reference_row
from gsema_core.datasets.case_files import read_case
from gsema_core.labels import ANEURYSM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
        number = _middle_case(plan, found, scores, center)
        case = plan.unseen(center)[number]
        image, truth = read_case(case)
        view = _View(truth.array, image.geometry.spacing)
        for panel, cell in zip(line, found, strict=False):
            predicted = predict(plan, cell, case)
            _draw(panel, view, image.array, truth.array, predicted.array)
            dice = scores[cell.row, center].values["dice"][number]
            panel.set_title(f"{cell.method.title}\n{center}: Dice {dice:.2f}", fontsize=8)
    figure.suptitle(
        f"Reference (white), result (orange)\n{image_kind(plan)} of unseen centers", fontsize=9
    )
    return figure


class _View:
    """A slice through the aneurysms where they are widest, cropped around them."""

    def __init__(self, labels: npt.NDArray[Any], spacing: tuple[float, float, float]) -> None:
        aneurysm = labels == ANEURYSM
        self.slice = int(aneurysm.sum(axis=(1, 2)).argmax())
        found = np.argwhere(aneurysm[self.slice])
        if not len(found):
            found = np.array([[0, 0], labels.shape[1:]])
        margins = np.ceil(MARGIN_MM / np.array(spacing[1::-1])).astype(int)
        low = np.maximum(found.min(axis=0) - margins, 0)
        high = np.minimum(found.max(axis=0) + margins + 1, labels.shape[1:])
        self.region = tuple(slice(a, b) for a, b in zip(low, high, strict=True))

    def of(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.asarray(array[self.slice][self.region])


def _draw(
    panel: Any,
    view: _View,
    image: npt.NDArray[Any],
    truth: npt.NDArray[Any],
    predicted: npt.NDArray[Any],
) -> None:
    shown = view.of(image)
    panel.imshow(shown, cmap="gray", vmax=np.percentile(shown, 99.5))
    for labels, color in ((truth, "white"), (predicted, "tab:orange")):
        mask = view.of(labels) == ANEURYSM
        if mask.any():
            panel.contour(mask, levels=[0.5], colors=[color], linewidths=1.2)


def _middle_case(plan: Plan, found: list[Cell], scores: Collected, center: str) -> int:
    row = reference_row([cell.row for cell in found])
    dice = scores[row, center].values["dice"]
    return int(np.argsort(dice)[len(dice) // 2])
