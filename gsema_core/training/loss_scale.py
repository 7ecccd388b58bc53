"""The factor that keeps float16's gradients from vanishing."""

from __future__ import annotations

from dataclasses import dataclass

FIRST, GROWTH, BACKOFF, INTERVAL = 2.0**16, 2.0, 0.5, 2000
"""The defaults of PyTorch's GradScaler."""

_HIGHEST = 2.0**24  # float32's whole numbers end here; nothing that small is worth saving (ours)


@dataclass
class LossScale:
    """Every loss of a step is multiplied by ``value``, and the gradients are divided by it.

    One factor for all losses: gradients that were scaled differently could not be compared. A
    step whose gradients overflow is skipped, and the factor halved; it doubles again after many
    good steps in a row.

    Attributes:
        value: the factor; 1 leaves every number as it is.
        good_steps: steps since the factor changed.
        active: False for precisions that need none.
    """

    value: float
    good_steps: int = 0
    active: bool = True

    @classmethod
    def of(cls, precision: str) -> LossScale:
        """The scale that a run of this precision begins with."""
        return cls(FIRST) if precision == "fp16" else cls(1.0, active=False)

    def update(self, finite: bool) -> None:
        """Learn whether a step's gradients were finite."""
        if not self.active:
            return
        self.good_steps = self.good_steps + 1 if finite else 0
        if not finite:
            self.value = max(self.value * BACKOFF, 1.0)
        elif self.good_steps == INTERVAL:
            self.value, self.good_steps = min(self.value * GROWTH, _HIGHEST), 0
