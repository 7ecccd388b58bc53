"""A network that knows small windows, applied to a whole scan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsema_core.errors import Cancelled
from gsema_core.grids.boxes import box_of
from gsema_core.inference.monitor import PHASES, CancelCheck, ProgressCallback
from gsema_core.inference.shares import Shares
from gsema_core.inference.windows.stitching import Stitcher
from gsema_core.inference.windows.window_plan import WindowPlan
from gsema_core.machine import Computing

Network = Callable[[Tensor], Tensor]
Answer = Callable[[Tensor], Tensor]


@torch.inference_mode()
def blend_windows(
    answer: Answer,
    padded: npt.NDArray[np.float32],
    plan: WindowPlan,
    *,
    batch: int = 1,
    sixteen_bits: bool = False,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> Shares:
    """Probabilities of vessel and aneurysm in a whole scan from overlapping windows.

    Softmax comes before the blending, not after it: a window that is very sure at its edge, where
    it sees little, has a large logit but never more than probability 1 to outvote its neighbors
    with, and the blend of probabilities is a probability. Sums are kept in main memory, of a few
    planes at a time (``inference.windows.stitching``), so a GPU holds no more than one batch.

    Args:
        answer: from windows (B, channels, k, j, i) to their class probabilities (B, 3, k, j, i),
            both in main memory.
        padded: (k, j, i) in [0, 1], as ``plan_windows`` gave it; or (3, k, j, i) with the channels
            of clicks.
        plan: likewise. Voxels that none of its windows covers are background.
        batch: windows asked for at once. Default 1: on CPUs more do not help.
        sixteen_bits: save memory, as ``Stitcher`` says.
        progress: told the share of the windows that are done, after each batch.
        cancelled: asked before each batch whether to stop.

    Returns:
        (2, k, j, i) of the image inside the padding; the background is what is missing to 1.

    Raises:
        Cancelled: ``cancelled`` said True.
        UserError: an answer is not finite.
    """
    image = torch.from_numpy(padded if padded.ndim == 4 else padded[None])
    stitcher = Stitcher(plan, sixteen_bits=sixteen_bits)
    for first in range(0, len(plan.starts), batch):
        if cancelled is not None and cancelled():
            raise Cancelled
        starts = plan.starts[first : first + batch]
        boxes = (box_of(start, plan.window) for start in starts)
        patches = torch.stack([image[(slice(None), *box)] for box in boxes])
        for start, probabilities in zip(starts, answer(patches), strict=True):
            stitcher.add(start, probabilities)
        if progress is not None:
            progress((first + len(starts)) / len(plan.starts), PHASES["windows"][1])
    return stitcher.finish()


def softmax(network: Network, patches: Tensor, computing: Computing) -> Tensor:
    """Class probabilities of windows.

    Args:
        network: from windows in [0, 1] to logits (B, 3, k, j, i).
        patches: windows (B, 1, k, j, i), or with clicks (B, 3, k, j, i), in main memory.
        computing: where the network is, and its precision.

    Returns:
        (B, 3, k, j, i), in main memory.
    """
    with computing.autocast():
        logits = network(patches.to(computing.device))
    return torch.softmax(logits.float(), dim=1).cpu()
