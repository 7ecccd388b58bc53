"""From a scan, or a click in one, to labels: windows, the way back, cleaning, report."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.inference.click_result import ClickResult as ClickResult
    from gsema_core.inference.devices import available_devices as available_devices
    from gsema_core.inference.devices import resolve_device as resolve_device
    from gsema_core.inference.monitor import Monitor as Monitor
    from gsema_core.inference.pipeline import segment as segment
    from gsema_core.inference.pipeline import segment_at_point as segment_at_point
    from gsema_core.inference.pipeline import segment_at_points as segment_at_points
    from gsema_core.inference.prepared import PreparedScan as PreparedScan
    from gsema_core.inference.result import SegmentationResult as SegmentationResult
    from gsema_core.inference.segmenter import Segmenter as Segmenter
    from gsema_core.inference.settings import SegmentationSettings as SegmentationSettings
    from gsema_core.inference.sliding_window import predict_windows as predict_windows

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "ClickResult": "click_result",
        "Monitor": "monitor",
        "PreparedScan": "prepared",
        "SegmentationResult": "result",
        "SegmentationSettings": "settings",
        "Segmenter": "segmenter",
        "available_devices": "devices",
        "predict_windows": "sliding_window",
        "resolve_device": "devices",
        "segment": "pipeline",
        "segment_at_point": "pipeline",
        "segment_at_points": "pipeline",
    },
)
