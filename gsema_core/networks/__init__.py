"""Segmentation networks with the encoder's latent as part of their interface."""

from gsema_core.lazy import lazy_exports

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Encoded": "network",
        "NetworkConfig": "config",
        "SegmentationNetwork": "network",
        "build_network": "factory",
    },
)
