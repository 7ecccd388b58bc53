"""The losses of one training step: Dice with cross-entropy, boundary-aware contrast, agreement."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.losses.boundary import (
        boundary_map as boundary_map,
        highpass_mask as highpass_mask,
    )
    from gsema_core.losses.consistency import consistency_loss as consistency_loss
    from gsema_core.losses.contrastive import (
        BoundaryAwareContrastiveLoss as BoundaryAwareContrastiveLoss,
        contrastive_loss as contrastive_loss,
    )
    from gsema_core.losses.dice_ce import DiceCELoss as DiceCELoss
    from gsema_core.losses.segmentation_loss import (
        SegmentationLoss as SegmentationLoss,
        build_segmentation_loss as build_segmentation_loss,
        loss_with_ignored as loss_with_ignored,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)
