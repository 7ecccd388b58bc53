"""The segmentation loss: Dice plus cross-entropy (equations 1 and 2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.losses.dice import DiceCELoss as MonaiDiceCELoss, DiceLoss
from torch import Tensor, nn

from gsema_core.errors import UserError
from gsema_core.labels import BACKGROUND, CLASSES, IGNORE
from gsema_core.losses.full_precision import full_precision, no_autocast


class DiceCELoss(nn.Module):
    """``L_DCE`` of equation 1 over the classes' softmax, background included.

    MONAI's loss, always in float32: under autocast the cross-entropy of a rare class would be
    rounded away. The loss of each sample is averaged: a batch means the same however
    accumulation or several ranks divide it, also where class weights normalize the cross-entropy.

    Args:
        class_weights: one weight a class (background, vessel, aneurysm) on both parts; None is
            equation 1, all equal. Their scale acts on Dice only: cross-entropy is a weighted mean.

        smoothing: voxels added to Dice's numerator and denominator. Where a class is absent its
            loss is V / (V + smoothing) for V voxels predicted: next to 0, MONAI's default, false
            positives in patches without an aneurysm have no gradient from Dice, and from
            cross-entropy only their share of all voxels.

    Raises:
        UserError: not one non-negative weight a class.
    """

    weight: Tensor | None

    def __init__(
        self, class_weights: Sequence[float] | None = None, smoothing: float = 1e-5
    ) -> None:
        super().__init__()
        weight = None
        if class_weights is not None:
            if len(class_weights) != CLASSES or not all(w >= 0.0 for w in class_weights):
                raise UserError(
                    f"The class weights are {list(class_weights)}, expected {CLASSES} non-negative "
                    "numbers: give one for background, vessel and aneurysm each."
                )
            weight = torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("weight", weight, persistent=False)
        self.dice = DiceLoss(weight=weight, smooth_nr=smoothing, smooth_dr=smoothing)
        self.loss = MonaiDiceCELoss(
            include_background=True,
            to_onehot_y=True,
            softmax=True,
            weight=weight,
            smooth_nr=smoothing,
            smooth_dr=smoothing,
        )

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the scalar loss.

        Args:
            logits: ``(B, 3, D, H, W)``, any floating type.
            labels: ``(B, 1, D, H, W)``, the values of `gsema_core.labels`, any type.
        """
        with no_autocast(logits):
            logits, labels = full_precision(logits), labels.long()
            pairs = zip(logits.split(1), labels.split(1), strict=True)
            return torch.stack([self.loss(*pair) for pair in pairs]).mean()

    def with_ignored(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss over the voxels that are labeled; the others get no gradient.

        Dice sums over labeled voxels, cross-entropy is their mean. A sample without any labeled
        voxel counts as 0. Where all are labeled, it is the loss that `forward` returns.

        Args:
            logits: as for `forward`.
            labels: as for `forward`, and `gsema_core.labels.IGNORE` where nobody labeled.
        """
        with no_autocast(logits):
            logits, labels = full_precision(logits), labels.long()
            pairs = zip(logits.split(1), labels.split(1), strict=True)
            return torch.stack([self._of_labeled(*pair) for pair in pairs]).mean()

    def _of_labeled(self, logits: Tensor, labels: Tensor) -> Tensor:
        labeled = labels != IGNORE
        known = torch.where(labeled, labels, BACKGROUND)
        truth = nn.functional.one_hot(known[:, 0], CLASSES).movedim(-1, 1).to(logits)
        dice = self.dice(logits.softmax(dim=1) * labeled, truth * labeled)
        each = nn.functional.cross_entropy(
            logits, labels[:, 0], self.weight, ignore_index=IGNORE, reduction="none"
        )
        weights = labeled[:, 0] if self.weight is None else self.weight[known[:, 0]] * labeled[:, 0]
        # No voxel, or none of a class with a weight: 0, where a mean would be 0 / 0.
        total = weights.sum().to(each)
        loss: Tensor = dice + each.sum() / torch.where(total > 0, total, 1.0)
        return loss
