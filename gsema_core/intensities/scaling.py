"""Which intensities of a scan become 0 and 1: the same rule in training and in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from gsema_core.configuration import build, check, plain
from gsema_core.errors import UserError


@dataclass(frozen=True)
class IntensityRule:
    """Clip at two percentiles of the volume, then scale to [0, 1].

    Args:
        low: the percentile that becomes 0. Default: our choice; the paper does not say.
        high: the percentile that becomes 1. Default: our choice; vessels filled with contrast
            agent take 0.2 to 2 % of a scan. 99.9 lies within the brightness of thin ones, whose
            walls were then drawn too far out (docs/explanation/teacher_notebook.md).
    """

    place: ClassVar[str] = "of the intensity rule"

    low: float = 1.0
    high: float = 99.99

    def __post_init__(self) -> None:
        check(self)
        if not (0 <= self.low < self.high <= 100):
            raise UserError(
                f"The intensity percentiles {self.low} and {self.high} must rise within 0 to 100."
            )

    def bounds(self, array: npt.ArrayLike, fill_share: float = 0.0) -> tuple[float, float]:
        """The intensities that become 0 and 1.

        Where both percentiles coincide (a volume with far fewer vessel voxels than usual), the
        minimum and the maximum take their place.

        Args:
            array: intensities.
            fill_share: the share that says nothing and has the median, as fill does.
        """
        values = np.asarray(array, dtype=np.float32)
        image = 1 - fill_share
        ranks = self.low * image, 100 - (100 - self.high) * image
        low, high = (float(bound) for bound in np.percentile(values, ranks))
        return (low, high) if high > low else (float(values.min()), float(values.max()))

    def to_dict(self) -> dict[str, float]:
        values: dict[str, float] = plain(self)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> IntensityRule:
        """Read what ``to_dict`` wrote: both percentiles, and nothing else.

        Raises:
            UserError: a key is missing or unknown, or a value is not a finite number.
        """
        rule = build(cls, values)
        if len(values) != len(fields(cls)):
            raise UserError(f"An intensity rule has the keys 'low' and 'high', not {values!r}.")
        return rule


def scale_between(array: npt.ArrayLike, low: float, high: float) -> npt.NDArray[np.float32]:
    """A float32 copy with ``low`` at 0 and ``high`` at 1, clipped; zeros where they coincide."""
    values = np.array(array, dtype=np.float32)
    if not high > low:
        return np.zeros_like(values)
    values -= np.float32(low)
    values /= np.float32(high - low)
    return np.clip(values, 0.0, 1.0, out=values)
