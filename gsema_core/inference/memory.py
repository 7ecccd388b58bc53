"""How much main memory a run takes, known before it begins."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from gsema_core.errors import UserError
from gsema_core.volumes import Geometry
from gsema_core.volumes.working_grid import SLAB_VOXELS

PROGRAM_BYTES = 550 * 2**20
"""Python with PyTorch, MONAI, SimpleITK and a teacher of 3 million weights: measured."""
NETWORK_BYTES_A_VOXEL = 150
"""What a network needs for each voxel of a window: measured on windows of 96^3, bf16 and fp32:
``cnn`` 66 and 131, ``swin_unet`` 136 and 140."""


def estimate(
    scan: Geometry,
    working: Geometry,
    window: tuple[int, int, int],
    *,
    scan_bytes_a_voxel: int = 4,
    probabilities: bool = False,
    half: bool = False,
) -> int:
    """The most memory in bytes that a run on the CPU has at one time, with the program and scan.

    Each phase's arrays are counted; the largest phase decides. Measured against the resident
    memory of a scan of 320^3 voxels at 0.25 mm, in MB above program and scan: prepare 281
    (measured 262), windows 190 (145), restore 288 (294), clean 348 (342).

    Args:
        scan: the scan's own grid.
        working: the working grid.
        window: size (k, j, i).
        scan_bytes_a_voxel: of the array that was read.
        probabilities: whether the aneurysm's probability is wanted on the scan's grid.
        half: whether the windows' answers are added up in half precision.
    """
    voxels, working_voxels = math.prod(scan.size), math.prod(working.size)
    padded = math.prod(max(n, w) for n, w in zip(working.shape, window, strict=True))
    sums = 6 if half else 12
    kept = 4 * voxels if probabilities else 0
    phases = {
        "prepare": 8 * voxels + 8 * working_voxels,  # a float copy and SimpleITK's; two results
        "windows": 4 * working_voxels
        + (13 + sums) * padded  # the padded scan, weights twice, unseen voxels
        + NETWORK_BYTES_A_VOXEL * math.prod(window),
        "restore": (20 + sums) * working_voxels  # the scan, images of the classes, one copy
        + voxels
        + 16 * min(voxels, SLAB_VOXELS)
        + kept,
        "clean": (4 + sums) * working_voxels + 9 * voxels + kept,  # component numbers, masks
    }
    return PROGRAM_BYTES + scan_bytes_a_voxel * voxels + max(phases.values())


ALLOCATION_TEXTS = ("allocate memory", "not enough memory", "bad allocation", "bad_alloc")
"""How PyTorch and SimpleITK tell in a RuntimeError that the main memory is full."""


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn a full main memory into a sentence.

    Raises:
        UserError: the block ran out of memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or any(text in str(error) for text in ALLOCATION_TEXTS):
            raise UserError(
                "The memory did not suffice for this scan: close other programs or crop it."
            ) from error
        raise


def needs_half(full_bytes: int, half_bytes: int, limit_gb: float | None) -> bool:
    """Whether only half precision keeps a run within its limit (GB of 10^9 bytes).

    Raises:
        UserError: that does not either.
    """
    if limit_gb is None or full_bytes <= limit_gb * 1e9:
        return False
    if half_bytes <= limit_gb * 1e9:
        return True
    raise UserError(
        f"This scan needs about {half_bytes / 1e9:.1f} GB of memory where {limit_gb:g} GB are "
        "allowed: allow more, or crop the scan."
    )
