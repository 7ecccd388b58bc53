"""What a network is built from; stored in teacher files. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from gsema_core.configuration import build, check, plain, setting
from gsema_core.errors import UserError


@dataclass(frozen=True)
class NetworkConfig:
    """The size of a network; upper bounds keep a hostile teacher file from asking for terabytes."""

    place: ClassVar[str] = "of the network"

    kind: str = setting(
        "swin_unet",
        "The paper's architecture, or MONAI's SegResNet (cnn).",
        choices=("swin_unet", "cnn"),
        high=200,
        part="network",
        source="docs/explanation/networks.md",
    )
    features: int = setting(
        16,
        "Channels at half resolution, a multiple of 8; they double with every stage.",
        low=8,
        high=64,
        source="docs/explanation/networks.md",
    )
    stages: int = setting(
        4,
        "Resolution levels below the full one; the latent lies at 1 / 2**stages.",
        low=2,
        high=5,
        source="docs/explanation/networks.md",
    )
    depth: int = setting(
        2,
        "Swin blocks, or residual blocks, of a stage.",
        low=1,
        high=4,
        source="docs/explanation/networks.md",
    )
    heads: int = setting(
        2,
        "Attention heads of the first Swin stage; they double with each.",
        low=1,
        high=8,
        source="docs/explanation/networks.md",
    )
    window: int = setting(
        6,
        "Edge of an attention window, in tokens.",
        low=2,
        high=12,
        source="docs/explanation/networks.md",
    )

    click_width_mm: float = setting(
        0.0,
        "Width (standard deviation) of the clicks that the network takes beside the image; 0 makes "
        "a network without clicks.",
        unit="mm",
        low=0,
        high=10,
        source="docs/explanation/networks.md",
    )

    options: dict[str, Any] = field(default_factory=dict)
    """Keywords of a network from outside, the table [network.options]."""

    def __post_init__(self) -> None:
        check(self)
        if self.features % 8:
            raise UserError(
                f"Setting features of the network is {self.features}: use a multiple of 8."
            )
        if self.options and self.kind in ("swin_unet", "cnn"):
            raise UserError(
                f"The network {self.kind} has no options of its own: leave [network.options] out."
            )
        if self.kind == "swin_unet" and (2 * self.features) % self.heads:
            raise UserError(
                f"{2 * self.features} channels of the first Swin stage cannot be shared by "
                f"{self.heads} heads: use a number of heads that divides them."
            )

    @property
    def takes_clicks(self) -> bool:
        """Whether an image may have two more channels: clicks inside aneurysms, and outside."""
        return self.click_width_mm > 0

    @property
    def multiple(self) -> int:
        """Every spatial size of an input must be a multiple of this many voxels."""
        return 1 << self.stages

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what older versions do not know is left out where it is not used."""
        values: dict[str, Any] = plain(self)
        for name in ("options", "click_width_mm"):
            if not values[name]:
                del values[name]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """Build from plain values; an unknown name is an error, so that no typo passes."""
        return build(cls, values)
