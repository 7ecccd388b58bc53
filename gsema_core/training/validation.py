"""How good the teacher is on patients that were kept out of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from gsema_core.datasets.cache import CachedVolume
from gsema_core.inference.windows.sliding_window import predict_windows
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.networks import SegmentationNetwork

Seen = Callable[[CachedVolume, NDArray[np.uint8]], None]


def validate(
    teacher: SegmentationNetwork,
    volumes: Sequence[CachedVolume],
    window: tuple[int, int, int],
    device: torch.device,
    seen: Seen | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, float]:
    """Mean Dice of both labels over whole cases, on the working grid, without post-processing.

    The windows overlap by a quarter: half the time of the default, and every case alike.

    Args:
        teacher: in evaluation mode, on ``device``.
        volumes: the cases, at least one.
        window: size (k, j, i) in voxels.
        device: where the teacher is.
        seen: gets each case with its predicted labels (k, j, i).
        cancelled: asked before each window whether to stop.

    Raises:
        Cancelled: ``cancelled`` said True.
    """
    scores: dict[str, list[float]] = {"aneurysm_dice": [], "vessel_dice": []}
    for volume in volumes:
        probabilities = predict_windows(
            teacher,
            np.asarray(volume.image, dtype=np.float32),
            window,
            overlap=0.25,
            device=device,
            cancelled=cancelled,
        )
        predicted = np.argmax(probabilities, axis=0).astype(np.uint8)
        for name, label in (("aneurysm_dice", ANEURYSM), ("vessel_dice", VESSEL)):
            scores[name].append(_dice(predicted == label, np.asarray(volume.labels) == label))
        if seen is not None:
            seen(volume, predicted)
    return {name: float(np.mean(values)) for name, values in scores.items()}


def _dice(predicted: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """Dice; 1 where both are empty."""
    total = int(predicted.sum()) + int(reference.sum())
    return 2.0 * int((predicted & reference).sum()) / total if total else 1.0
