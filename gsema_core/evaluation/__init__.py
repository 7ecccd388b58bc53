"""How good a segmentation is, measured against a reference."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.evaluation.metrics import LesionCounts as LesionCounts
    from gsema_core.evaluation.metrics import case_metrics as case_metrics
    from gsema_core.evaluation.metrics import lesion_metrics as lesion_metrics

__getattr__, __dir__ = lazy_exports(
    __name__, dict.fromkeys(("LesionCounts", "case_metrics", "lesion_metrics"), "metrics")
)
