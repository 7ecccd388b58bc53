"""``curves.png``: a run at a glance, from its ``metrics.csv``."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.files.atomic import atomic_path
from gsema_core.training.metrics_table import TRAINING, VALIDATION, Row, read_metrics
from gsema_core.training.run_files import CURVES

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
"""Okabe and Ito's colors, which color-blind readers tell apart."""

LOSSES = {
    "loss_source": ("student, source", BLUE),
    "loss_target": ("student, target", ORANGE),
    "teacher_loss_source": ("teacher, source", GREEN),
    "loss_contrast": ("contrast", RED),
}
DICE = {
    "aneurysm_dice": ("aneurysm", ORANGE),
    "vessel_dice": ("vessel", RED),
    "clicked_dice": ("clicked aneurysm", BLUE),
}

MOST_POINTS = 400
"""Of a line: more are no wider than its pixels (ours)."""
SMOOTHED = 0.05
"""Share of a line's points that its mean runs over (ours)."""
DPI = 110
"""Of a slide's width of pixels (ours)."""

Line = npt.NDArray[np.float64]


def can_draw() -> bool:
    """Whether matplotlib is there, an optional extra."""
    return importlib.util.find_spec("matplotlib") is not None


def draw_curves(folder: Path, title: str = "") -> Path | None:
    """Draw losses, validation Dice, gate and cosine; None where there is no number yet.

    Args:
        folder: the run's.
        title: above them.

    Raises:
        UserError: the picture could not be written; an older one is unchanged.
    """
    rows = read_metrics(folder)
    if not rows:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.4))
    figure.subplots_adjust(0.06, 0.08, 0.98, 0.89, 0.16, 0.34)  # constrained takes twice the time
    (losses, dice), (gate, cosine) = figure.subplots(2, 2)
    steps = [row for row in rows if row["kind"] == TRAINING]
    for name, (label, color) in LOSSES.items():
        _draw(losses, steps, name, label, color)
    _draw_dice(dice, [row for row in rows if row["kind"] == VALIDATION])
    _draw(gate, steps, "gate_open_rate", "gate", BLUE)
    _draw(cosine, steps, "similarity", "cosine", BLUE)
    cosine.axhline(0, color="black", lw=0.8)
    losses.set(title="Losses", ylim=(0, None))
    dice.set(title="Teacher on validation cases", ylabel="Dice", ylim=(0, 1.02))
    gate.set(title="Gate: share of steps that move the teacher", ylim=(-0.02, 1.02))
    cosine.set(title="Cosine of the two domains' gradients", ylim=(-1.02, 1.02))
    for panel in (losses, dice, gate, cosine):
        panel.set(xlabel="step", xlim=(0, max(1, int(rows[-1]["step"]))))
        panel.grid(alpha=0.3)
    for panel in (losses, dice):
        if panel.get_legend_handles_labels()[0]:
            panel.legend(fontsize="small")
    figure.suptitle(title)
    path = folder / CURVES
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=DPI)
    return path


def _draw(panel: Any, rows: list[Row], name: str, label: str, color: str) -> None:
    """A line as it is, pale, and its running mean; nothing where a method does not have it."""
    steps, values = _numbers(rows, name)
    if not values.any():
        return
    wide = max(1, round(SMOOTHED * len(values)))
    if wide > 1:
        panel.plot(steps, values, color=color, alpha=0.25, lw=0.8)
    panel.plot(steps, _running_mean(values, wide), color=color, lw=1.6, label=label)


def _draw_dice(panel: Any, rows: list[Row]) -> None:
    for name, (label, color) in DICE.items():
        steps, values = _numbers(rows, name)
        if len(values):
            best = values.argmax()
            text = f"{label}, best {values[best]:.3f} at step {steps[best]:.0f}"
            panel.plot(steps, values, color=color, lw=1.6, marker=".", label=text)


def _numbers(rows: list[Row], name: str) -> tuple[Line, Line]:
    """Steps and values of a column, at most MOST_POINTS of them as means of neighbors."""
    table = np.array([(row["step"], row.get(name) or "nan") for row in rows], float).reshape(-1, 2)
    table = table[np.isfinite(table).all(axis=1)]
    together = -(-len(table) // MOST_POINTS) if name not in DICE else 1
    if together > 1:
        starts = np.arange(0, len(table), together)
        counts = np.diff([*starts, len(table)])
        table = np.add.reduceat(table, starts) / counts[:, None]
    return table[:, 0], table[:, 1]


def _running_mean(values: Line, wide: int) -> Line:
    """Mean of ``wide`` neighbors, of fewer at both ends."""
    ones = np.ones(wide)
    return np.convolve(values, ones, "same") / np.convolve(np.ones(len(values)), ones, "same")
