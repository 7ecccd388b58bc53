"""A network that knows small windows, applied to a whole scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from gsema_core.errors import Cancelled, UserError
from gsema_core.inference.devices import autocast_type
from gsema_core.inference.monitor import PHASES, CancelCheck, ProgressCallback
from gsema_core.inference.windows import Size, Start, all_windows, importance
from gsema_core.labels import BACKGROUND, CLASSES

Network = Callable[[Tensor], Tensor]
Answer = Callable[[Tensor], Tensor]


def predict_windows(
    network: Network,
    image: npt.NDArray[np.float32] | Tensor,
    window: Size,
    *,
    device: str | torch.device = "cpu",
    precision: str = "auto",
    overlap: float = 0.5,
    batch: int = 1,
    windows: Sequence[Start] | None = None,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> npt.NDArray[np.float32]:
    """``blend_windows`` for a network on a device.

    Args:
        network: (B, 1, k, j, i) in [0, 1] to logits (B, 3, k, j, i), on ``device``.
        image: as there, like everything else that is not named here.
        precision: ``auto``, ``fp32`` or ``bf16``.
    """
    device = torch.device(device)
    blended = blend_windows(
        lambda patches: softmax(network, patches, device, precision),
        image,
        window,
        overlap=overlap,
        batch=batch,
        windows=windows,
        progress=progress,
        cancelled=cancelled,
    )
    return blended.astype(np.float32, copy=False)


@torch.inference_mode()
def blend_windows(
    answer: Answer,
    image: npt.NDArray[np.float32] | Tensor,
    window: Size,
    *,
    overlap: float = 0.5,
    batch: int = 1,
    windows: Sequence[Start] | None = None,
    half: bool = False,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> npt.NDArray[np.floating]:
    """Class probabilities of a whole scan from overlapping windows.

    Softmax comes before the blending, not after it: a window that is very sure at its edge, where
    it sees little, has a large logit but never more than probability 1 to outvote its neighbors
    with, and the blend of probabilities is a probability. Sums are kept in main memory, so a GPU
    holds no more than one batch.

    An image smaller than the window is padded with 0, the darkest intensity, which is also what
    scanners store outside their field of view.

    Args:
        answer: from windows (B, 1, k, j, i) to their class probabilities (B, 3, k, j, i), both
            in main memory.
        image: (k, j, i) in [0, 1].
        window: size (k, j, i) of the windows.
        overlap: share of a window that its neighbor covers too, 0 to below 1.
        batch: windows asked for at once. Default 1: on CPUs more do not help.
        windows: starts of the windows to run, in the padded image; default all. Voxels that no
            window covers are background.
        half: add up in half precision, which is exact to about 0.001, to save memory.
        progress: told the share of the windows that are done, after each batch.
        cancelled: asked before each batch whether to stop.

    Returns:
        (3, k, j, i), sums to 1 over the classes; float32, or float16 where ``half``.

    Raises:
        Cancelled: ``cancelled`` said True.
        UserError: an answer is not finite.
    """
    padded, inside = pad_to_window(torch.as_tensor(image, dtype=torch.float32), window)
    if windows is None:
        windows = all_windows(padded.shape, window, overlap)
    dtype = torch.float16 if half else torch.float32
    sums = torch.zeros((CLASSES, *padded.shape), dtype=dtype)
    weights = torch.zeros(padded.shape)
    weight = importance(window)
    done = 0
    for starts in _batches(windows, batch):
        if cancelled is not None and cancelled():
            raise Cancelled
        boxes = [_box(start, window) for start in starts]
        patches = torch.stack([padded[box] for box in boxes])[:, None]
        for box, probabilities in zip(boxes, answer(patches), strict=True):
            sums[(slice(None), *box)] += probabilities * weight
            weights[box] += weight
        done += len(starts)
        if progress is not None:
            progress(done / len(windows), PHASES["windows"][1])
    blended = _normalized(sums[(slice(None), *inside)], weights[inside])
    if not bool(blended.sum(dtype=torch.float32).isfinite()):
        raise UserError(
            "The teacher's answer is not finite: try the precision fp32, or another teacher."
        )
    return blended.numpy()


def pad_to_window(image: Tensor, window: Size) -> tuple[Tensor, tuple[slice, slice, slice]]:
    """Pad axes that are shorter than the window, evenly on both sides, with 0.

    Returns:
        The padded image, and where the original lies in it.
    """
    missing = [max(0, w - n) for n, w in zip(image.shape, window, strict=True)]
    before = [amount // 2 for amount in missing]
    pairs = [(first, amount - first) for first, amount in zip(before, missing, strict=True)]
    padded = functional.pad(image, [n for pair in reversed(pairs) for n in pair])
    k, j, i = (slice(b, b + n) for b, n in zip(before, image.shape, strict=True))
    return padded, (k, j, i)


def softmax(network: Network, patches: Tensor, device: torch.device, precision: str) -> Tensor:
    """Class probabilities (B, 3, k, j, i) of windows (B, 1, k, j, i), in main memory."""
    reduced = autocast_type(precision, device)
    with torch.autocast(device.type, dtype=reduced, enabled=reduced is not None):
        logits = network(patches.to(device))
    return torch.softmax(logits.float(), dim=1).cpu()


def _normalized(sums: Tensor, weights: Tensor) -> Tensor:
    """Divide in place by the weights; what nobody looked at is background."""
    unseen = weights == 0
    sums /= weights.clamp(min=torch.finfo(torch.float32).tiny)
    sums[BACKGROUND][unseen] = 1.0
    return sums


def _batches(windows: Sequence[Start], size: int) -> Iterator[list[Start]]:
    remaining = iter(windows)
    while chunk := list(islice(remaining, size)):
        yield chunk


def _box(start: Start, window: Size) -> tuple[slice, slice, slice]:
    k, j, i = (slice(first, first + width) for first, width in zip(start, window, strict=True))
    return k, j, i
