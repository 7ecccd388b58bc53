"""What a scan's values mean: its range, brought to [0, 1]."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.intensities.scaling import IntensityRule as IntensityRule
else:
    __getattr__, __dir__ = lazy_exports(__name__)
