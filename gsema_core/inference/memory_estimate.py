"""How much main memory a run takes, known before it begins."""

from __future__ import annotations

import math

from gsema_core.grids import Geometry

PROGRAM_BYTES = 550 * 2**20
"""Python with PyTorch, MONAI, SimpleITK and a teacher of 3 million weights, as
``gsema segment --profile`` tells of the smallest scan."""
NETWORK_BYTES_A_VOXEL = 150
"""What a network needs for each voxel of a window, in either precision. Ours, on the safe side of
what ``Testing/benchmarks/inference.py --crop 140`` tells of one window."""


def estimate(
    scan: Geometry,
    working: Geometry,
    window: tuple[int, int, int],
    *,
    scan_bytes_a_voxel: int = 4,
    probabilities: bool = False,
) -> int:
    """The most memory in bytes that a run on the CPU has at one time, with the program and scan.

    Each phase's arrays are counted; the largest phase decides. ``Testing/benchmarks/whole_scan.py``
    compares it with what runs take (docs/explanation/performance.md).

    Args:
        scan: the scan's own grid.
        working: the working grid.
        window: size (k, j, i).
        scan_bytes_a_voxel: of the array that was read.
        probabilities: whether the aneurysm's probability is wanted on the scan's grid.
    """
    voxels, working_voxels = math.prod(scan.size), math.prod(working.size)
    padded = [max(n, w) for n, w in zip(working.shape, window, strict=True)]
    flat = scan.size[2] * working_voxels // working.size[2]  # two axes are done, one is not
    result = 4 * working_voxels  # two classes in 16 bits
    phases = {
        # Scaling copies the working grid for the percentiles.
        "prepare": max(4 * flat + 8 * working_voxels, 12 * working_voxels),
        "windows": 4 * working_voxels
        + (4 * math.prod(padded) if padded != list(working.shape) else 0)
        + 8 * window[0] * math.prod(padded[1:])  # sums of two classes
        + result
        + NETWORK_BYTES_A_VOXEL * math.prod(window),
        # The image, the lumen and the two arrays of its wall; labels.
        "restore": 16 * working_voxels + result + voxels + (4 * voxels if probabilities else 0),
        # Labels twice, masks, component numbers.
        "clean": 4 * working_voxels + result + 8 * voxels + (4 * voxels if probabilities else 0),
    }
    # The scan is copied where something of it is left out as no image.
    return PROGRAM_BYTES + 2 * scan_bytes_a_voxel * voxels + max(phases.values())
