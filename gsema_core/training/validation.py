"""How good the teacher is on patients that were kept out of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from gsema_core.datasets.cache import CachedVolume
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.inference.windows.sliding_window import blend_windows, softmax
from gsema_core.inference.windows.window_plan import plan_windows
from gsema_core.labels import ANEURYSM, BACKGROUND, IGNORE, VESSEL
from gsema_core.machine import Computing
from gsema_core.networks import SegmentationNetwork
from gsema_core.training.clicked_validation import clicked_aneurysms
from gsema_core.training.config import TrainingConfig
from gsema_core.training.decided_labels import decided
from gsema_core.training.metrics_table import score_names

Seen = Callable[[CachedVolume, NDArray[np.uint8], dict[str, float]], None]

OVERLAP = 0.25
"""Of windows: half the time of the default, and every case alike (ours)."""


def validation_settings(config: TrainingConfig) -> SegmentationSettings:
    """How a teacher that is to be chosen segments: as a user has it, but for the overlap."""
    run = config.run
    return SegmentationSettings(
        overlap=OVERLAP,
        minimum_certainty=run.validation_certainty,
        walls_by_scan=run.validation_walls,
    )


def chosen_by(score: str, settings: SegmentationSettings) -> str:
    """How teachers are chosen, for the card.

    Args:
        score: the name of the score.
        settings: those of the validation.
    """
    return (
        f"{score} on the working grid, certainty {settings.minimum_certainty:g}, aneurysms from "
        f"{settings.minimum_aneurysm_mm3:g} mm3, vessels from {settings.minimum_vessel_mm3:g} mm3, "
        f"overlap {settings.overlap:g}, walls by the "
        f"{'scan' if settings.draws_walls else 'teacher'}"
    )


def validate(
    teacher: SegmentationNetwork,
    volumes: Sequence[CachedVolume],
    window: tuple[int, int, int],
    spacing_mm: float,
    settings: SegmentationSettings,
    device: torch.device,
    seen: Seen | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, float]:
    """Mean Dice of both labels over whole cases, decided and cleaned on the working grid.

    Voxels that nobody labeled count in no score. A teacher that takes clicks has a third score,
    the aneurysms' Dice after one click in the middle of each; a case without one has none to
    click, and counts as it is segmented automatically.

    Args:
        teacher: in evaluation mode, on ``device``.
        volumes: the cases, at least one.
        window: size (k, j, i) in voxels.
        spacing_mm: of the working grid.
        settings: see `validation_settings`.
        device: where the teacher is.
        seen: gets each case with its predicted labels (k, j, i) and its scores.
        cancelled: asked before each window whether to stop.

    Raises:
        Cancelled: ``cancelled`` said True.
    """
    clicks = teacher.config.takes_clicks
    scores: dict[str, list[float]] = {name: [] for name in score_names(clicks)}
    computing = Computing.of(device, settings.precision)
    for volume in volumes:
        image = np.asarray(volume.image, dtype=np.float32)
        plan, padded = plan_windows(image, window, settings.overlap)
        foreground = blend_windows(
            lambda patches: softmax(teacher, patches, computing), padded, plan, cancelled=cancelled
        )
        predicted = decided(foreground, image, spacing_mm, settings)
        reference = np.asarray(volume.labels)
        labeled = np.where(reference == IGNORE, BACKGROUND, predicted)
        for name, label in (("aneurysm_dice", ANEURYSM), ("vessel_dice", VESSEL)):
            scores[name].append(_dice(labeled == label, reference == label))
        if clicks:
            scores["clicked_dice"].append(scores["aneurysm_dice"][-1])
            if len(volume.aneurysm_voxels):
                found = clicked_aneurysms(teacher, volume, window, spacing_mm, settings, computing)
                found &= reference != IGNORE
                scores["clicked_dice"][-1] = _dice(found, reference == ANEURYSM)
        if seen is not None:
            seen(volume, predicted, {name: values[-1] for name, values in scores.items()})
    return {name: float(np.mean(values)) for name, values in scores.items()}


def _dice(predicted: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """Dice; 1 where both are empty."""
    total = int(predicted.sum()) + int(reference.sum())
    return 2.0 * int((predicted & reference).sum()) / total if total else 1.0
