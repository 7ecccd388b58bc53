"""From a scan, or a click in one, to labels: windows, deciding, the original grid, provenance."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.inference.click.click_result import ClickResult as ClickResult
    from gsema_core.inference.monitor import Monitor as Monitor
    from gsema_core.inference.one_call import (
        segment as segment,
        segment_aneurysms_at as segment_aneurysms_at,
        segment_at_points as segment_at_points,
    )
    from gsema_core.inference.segmentation_result import SegmentationResult as SegmentationResult
    from gsema_core.inference.segmenter import Segmenter as Segmenter
    from gsema_core.inference.settings import SegmentationSettings as SegmentationSettings
    from gsema_core.intensities.prepared_scan import PreparedScan as PreparedScan
else:
    __getattr__, __dir__ = lazy_exports(__name__)
