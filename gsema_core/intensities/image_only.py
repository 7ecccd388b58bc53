"""What of a scan is image; the rest takes a value that moves nothing.

Scans hold values that no tissue has: the fill outside a reconstructed cylinder, wrapped or
saturated voxels, a header's padding, metal. They must move neither the range of intensities nor
what the network sees beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.intensities.fill import find_fill, without_fill
from gsema_core.intensities.levels import find_levels
from gsema_core.intensities.outliers import find_outliers, without_outliers
from gsema_core.intensities.wrapping import unwrapped

SATURATED = 5e-4
"""Share of the voxels at the largest value. Of 24 simulated scans that are not saturated at most
1.3e-5 have it. Ours."""


@dataclass(frozen=True, eq=False)
class ImageOnly:
    """A scan of which all is image.

    Attributes:
        array: the scan's own where nothing was left out, else a copy.
        fill_share: the share of the volume that was fill and now has the background's median.
        notes: what was changed or lost, in sentences.
    """

    array: npt.NDArray[Any]
    fill_share: float = 0.0
    notes: tuple[str, ...] = ()


def only_image(array: npt.NDArray[Any]) -> ImageOnly:
    """Replace what is no image.

    Fill, which is constant and in lumps, becomes the background's median. Scattered voxels, and
    lumps beyond what tissue or contrast agent can have, take the values of the image beside them.
    What wrapped around the ends of its integers is brought back.

    Args:
        array: (k, j, i), any numeric type, finite.
    """
    array, moved = unwrapped(array)
    told = []
    if moved:
        told.append(
            f"{moved / array.size:.3%} of the scan's voxels had wrapped around the ends of their "
            "integers and were brought back."
        )
    fills, levels = find_fill(array)
    left_out = []
    fill_share = 0.0
    if fills:
        array = without_fill(array, [fill.value for fill in fills], levels)
        levels = find_levels(array, np.array([levels.background], array.dtype))
        fill_share = sum(fill.share for fill in fills)
        left_out += [f"the fill value {fill.value:g} ({fill.share:.3%})" for fill in fills]
    outliers = find_outliers(array, levels)
    if outliers.size:
        values = array.reshape(-1)[outliers]
        share = outliers.size / array.size
        ends = f"from {values.min():g} to {values.max():g}"
        left_out.append(f"{outliers.size} voxels {ends}, far from those beside them ({share:.3%})")
        array = without_outliers(array, outliers, levels)
    if left_out:
        told.append(f"Of the scan's voxels were left out as no image: {'; '.join(left_out)}.")
    told += _saturated(array)
    return ImageOnly(array, fill_share, tuple(told))


def _saturated(array: npt.NDArray[Any]) -> list[str]:
    highest = array.max()
    share = np.count_nonzero(array == highest) / array.size
    if share < SATURATED or array.min() == highest:
        return []
    return [
        f"{share:.3%} of the scan's voxels have its largest value {highest:g}: it is saturated, "
        "and what is brighter cannot be told apart."
    ]
