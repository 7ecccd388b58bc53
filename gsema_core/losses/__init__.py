"""The losses of one training step: Dice with cross-entropy, boundary-aware contrast, agreement."""

from gsema_core.lazy import lazy_exports

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "BoundaryAwareContrastiveLoss": "contrastive",
        "DiceCELoss": "dice_ce",
        "boundary_map": "boundary",
        "consistency_loss": "consistency",
        "contrastive_loss": "contrastive",
        "highpass_mask": "boundary",
    },
)
