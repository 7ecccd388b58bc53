"""Cerebral aneurysm segmentation in 3D rotational angiography with GS-EMA.

For research use; not a medical device.
"""

from gsema_core.lazy import lazy_exports

__version__ = "0.1.0"

__getattr__, __dir__ = lazy_exports(__name__, {"segment": "inference"})
