"""Segmentation networks with the encoder's latent as part of their interface."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.networks.network import (
        Encoded as Encoded,
        SegmentationNetwork as SegmentationNetwork,
    )
    from gsema_core.networks.network_config import NetworkConfig as NetworkConfig
    from gsema_core.networks.network_factory import (
        Network as Network,
        build_network as build_network,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)
