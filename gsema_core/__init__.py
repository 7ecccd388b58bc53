"""Cerebral aneurysm segmentation in 3D rotational angiography with GS-EMA.

For research use; not a medical device.
"""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.inference import segment as segment
    from gsema_core.inference import segment_at_point as segment_at_point

__version__ = "0.1.0"

__getattr__, __dir__ = lazy_exports(
    __name__, {"segment": "inference", "segment_at_point": "inference"}
)
