"""The segmentation loss by name, and losses from outside."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.losses import DiceCELoss, build_segmentation_loss

FOCAL = """
    import torch
    from torch import nn

    class Focal(nn.Module):
        def __init__(self, gamma: float = 2.0):
            super().__init__()
            self.gamma = gamma

        def forward(self, logits, labels):
            entropy = nn.functional.cross_entropy(logits, labels[:, 0].long(), reduction="none")
            return ((1 - (-entropy).exp()) ** self.gamma * entropy).mean()
"""


def test_the_papers_loss_has_its_settings() -> None:
    loss = build_segmentation_loss("dice_ce", None, (0.2, 0.2, 0.8), 3.0)
    logits, labels = torch.randn(1, 3, 4, 4, 4), torch.randint(0, 3, (1, 1, 4, 4, 4))
    assert isinstance(loss, DiceCELoss)
    assert torch.equal(loss(logits, labels), DiceCELoss((0.2, 0.2, 0.8), 3.0)(logits, labels))


def test_a_loss_from_outside_gets_its_options(own_module: Any) -> None:
    own_module("own_focal", FOCAL)
    logits, labels = torch.randn(1, 3, 4, 4, 4), torch.randint(0, 3, (1, 1, 4, 4, 4))
    plain = build_segmentation_loss("own_focal:Focal", {"gamma": 0})
    expected = torch.nn.functional.cross_entropy(logits, labels[:, 0])
    torch.testing.assert_close(plain(logits, labels), expected)
    assert build_segmentation_loss("own_focal:Focal")(logits, labels) < expected


def test_building_it_leaves_the_random_numbers_alone(own_module: Any) -> None:
    own_module(
        "own_noisy",
        """
        import torch

        class Noisy:
            def __call__(self, logits, labels):
                return (logits + torch.randn_like(logits)).mean()
        """,
    )
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build_segmentation_loss("own_noisy:Noisy")
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return logits.mean((2, 3, 4))", r"returns \(1, 3\): it must return a scalar"),
        ("return logits.detach().mean()", r"returns \(\): it must return a scalar tensor that has"),
        ("return 3.0", "returns float"),
        ("return logits.mean() + labels[:, 5].mean()", r"fails for logits .* \(IndexError: "),
    ],
)
def test_what_is_no_loss_is_refused_at_once(own_module: Any, body: str, told: str) -> None:
    source = f"class Mine:\n    def __call__(self, logits, labels):\n        {body}\n"
    own_module("own_wrong_loss", source)
    with pytest.raises(UserError, match=told):
        build_segmentation_loss("own_wrong_loss:Mine")


def test_settings_of_the_one_are_not_for_the_other(own_module: Any) -> None:
    own_module("own_focal_2", FOCAL)
    with pytest.raises(
        UserError, match=r"class_weights .* is for dice_ce, not for the loss own_fo"
    ):
        build_segmentation_loss("own_focal_2:Focal", None, (1.0, 1.0, 1.0))
    with pytest.raises(UserError, match="dice_ce has no table of its own: set class_weights and"):
        build_segmentation_loss("dice_ce", {"smoothing": 1.0})
    with pytest.raises(UserError, match="has no option 'gama': use one of gamma"):
        build_segmentation_loss("own_focal_2:Focal", {"gama": 1.0})
    with pytest.raises(UserError, match="'dice' is unknown: use one of dice_ce, or"):
        build_segmentation_loss("dice")


def test_what_cannot_be_called_is_no_loss(own_module: Any) -> None:
    own_module("own_mute", "class Mine: pass")
    with pytest.raises(UserError, match="has no __call__"):
        build_segmentation_loss("own_mute:Mine")
