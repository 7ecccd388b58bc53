"""How good a teacher's answer is after one click in the middle of each aneurysm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from gsema_core.clicks import click_channels, first_click
from gsema_core.datasets.cache import CachedVolume
from gsema_core.grids.boxes import Box, box_of
from gsema_core.grids.components import connected_components
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.inference.windows.sliding_window import softmax
from gsema_core.labels import ANEURYSM
from gsema_core.machine import Computing
from gsema_core.networks import SegmentationNetwork
from gsema_core.training.decided_labels import decided

Mask = NDArray[np.bool_]


def clicked_aneurysms(
    teacher: SegmentationNetwork,
    volume: CachedVolume,
    window: tuple[int, int, int],
    spacing_mm: float,
    settings: SegmentationSettings,
    computing: Computing,
) -> Mask:
    """What the teacher segments where each aneurysm of the reference is clicked once.

    Of the window around a click, the aneurysm that holds the click counts, however uncertain; a
    click that the answer leaves out finds nothing. It costs one window an aneurysm.

    Args:
        teacher: takes clicks; in evaluation mode, on the device of ``computing``.
        volume: the case.
        window: size (k, j, i) in voxels.
        spacing_mm: of the working grid.
        settings: how the answer is decided.
        computing: precision and device.

    Returns:
        (k, j, i) the aneurysms.
    """
    image = np.asarray(volume.image, dtype=np.float32)
    found = np.zeros(image.shape, bool)
    width = teacher.config.click_width_mm / spacing_mm
    certain = replace(settings, minimum_certainty=0.0)
    for middle in _middles(volume, spacing_mm):
        box = _window_around(middle, image.shape, window)
        part = image[box]
        missing = [(0, n - m) for n, m in zip(window, part.shape, strict=True)]
        padded = np.pad(part, missing, mode="symmetric")
        point = middle - [side.start for side in box]
        channels = click_channels(window, [point], [], width)
        clicked = torch.from_numpy(np.concatenate([padded[None], channels]))
        with torch.inference_mode():
            shares = softmax(teacher, clicked[None], computing)[0, 1:].numpy()
        labels = decided(shares, padded, spacing_mm, certain)
        sacs, _ = connected_components(labels == ANEURYSM)
        k, j, i = point.astype(int)
        if sacs[k, j, i]:
            inside = sacs[tuple(slice(n) for n in part.shape)] == sacs[k, j, i]
            found[box] |= inside
    return found


def _middles(volume: CachedVolume, spacing_mm: float) -> Iterator[NDArray[np.float64]]:
    """The deepest voxel of each aneurysm of the reference."""
    voxels = np.asarray(volume.aneurysm_voxels)
    if not len(voxels):
        return
    low = np.maximum(voxels.min(axis=0) - 1, 0)
    around = box_of(low, voxels.max(axis=0) + 2 - low)
    sacs, count = connected_components(np.asarray(volume.labels[around]) == ANEURYSM)
    no_chance = np.random.default_rng(0)  # the middle is drawn by nobody
    for number in range(1, count + 1):
        yield first_click(sacs == number, (spacing_mm,) * 3, no_chance, "middle") + low


def _window_around(
    middle: NDArray[np.float64], shape: tuple[int, ...], window: tuple[int, int, int]
) -> Box:
    """The window with a voxel in its middle, as far as the scan allows."""
    room = np.maximum(np.array(shape) - window, 0)
    start = np.clip(middle.astype(int) - np.array(window) // 2, 0, room)
    return box_of(start, np.minimum(window, shape))
