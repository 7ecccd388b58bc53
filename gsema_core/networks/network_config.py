"""What a network is built from; stored in teacher files. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from gsema_core.errors import UserError

KINDS = ("swin_unet", "cnn")


def _setting(default: Any, help: str, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"help": help, "choices": choices})


@dataclass(frozen=True)
class NetworkConfig:
    """The size of a network. The defaults are ours, measured in docs/networks.md."""

    kind: str = _setting(
        "swin_unet", "swin_unet (the paper's architecture) or cnn (MONAI's SegResNet).", KINDS
    )
    features: int = _setting(16, "Channels at half resolution; they double with every stage.")
    stages: int = _setting(
        4, "Resolution levels below the full one; the latent lies at 1 / 2**stages."
    )
    depth: int = _setting(2, "Swin blocks, or residual blocks, of a stage.")
    heads: int = _setting(2, "Attention heads of the first Swin stage; they double with each.")
    window: int = _setting(6, "Edge of an attention window, in tokens.")

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError(f"Unknown network kind {self.kind!r}: use one of {', '.join(KINDS)}.")
        # Upper bounds keep a hostile teacher file from asking for terabytes.
        bounds = {"features": (8, 64), "stages": (2, 5), "depth": (1, 4), "heads": (1, 8)}
        for name, (low, high) in {**bounds, "window": (2, 12)}.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise UserError(
                    f"Network setting {name} is {value!r}: give an integer from {low} to {high}."
                )
        if self.features % 8:
            raise UserError(f"Network setting features is {self.features}: use a multiple of 8.")
        if self.kind == "swin_unet" and (2 * self.features) % self.heads:
            raise UserError(
                f"{2 * self.features} channels of the first Swin stage cannot be shared by "
                f"{self.heads} heads: use a number of heads that divides them."
            )

    @property
    def multiple(self) -> int:
        """Every spatial size of an input must be a multiple of this many voxels."""
        return 1 << self.stages

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """Strict: an unknown name is an error, or a typo would silently mean the default."""
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise UserError(
                f"Unknown network setting {sorted(unknown)[0]!r}: use "
                f"{', '.join(field.name for field in fields(cls))}."
            )
        return cls(**values)
