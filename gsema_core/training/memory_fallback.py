"""Smaller batches, then smaller patches, for a device without enough memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gsema_core.configuration import check
from gsema_core.errors import UserError
from gsema_core.training.config import DEEPEST_EDGE, TrainingConfig


@dataclass(frozen=True)
class Fit:
    """The settings that decide how much memory a step takes.

    Attributes:
        batch_size, accumulate, patch: as in the configuration.
    """

    batch_size: int
    accumulate: int
    patch: tuple[int, int, int]

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    def of(cls, config: TrainingConfig) -> Fit:
        return cls(config.run.batch_size, config.run.accumulate, config.data.patch)

    def apply(self, config: TrainingConfig) -> TrainingConfig:
        """The configuration with these settings."""
        return replace(
            config,
            data=replace(config.data, patch=self.patch),
            run=replace(config.run, batch_size=self.batch_size, accumulate=self.accumulate),
        )

    def smaller(self, multiple: int) -> Fit:
        """What to try next.

        Half the batch, accumulated twice: a step sees as many patches as before. At a batch of
        one, patches whose longest edges are a quarter shorter, as the network allows (ours).

        Args:
            multiple: of every edge, as the network demands.

        Raises:
            UserError: nothing is left to be made smaller.
        """
        if self.batch_size > 1:
            half = self.batch_size // 2
            patches = self.batch_size * self.accumulate
            return replace(self, batch_size=half, accumulate=-(-patches // half))
        longest, least = max(self.patch), DEEPEST_EDGE * multiple
        if longest <= least:
            raise UserError(
                f"The device has too little memory even for one patch of {list(self.patch)} at a "
                "time: set device to cpu, or choose a network with fewer features."
            )
        edge = max(least, longest * 3 // 4 // multiple * multiple)
        k, j, i = (min(size, edge) for size in self.patch)
        return replace(self, patch=(k, j, i))

    def __str__(self) -> str:
        return (
            f"batch {self.batch_size} x {self.accumulate}, patch {' x '.join(map(str, self.patch))}"
        )
