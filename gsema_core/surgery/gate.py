"""The gate: does the teacher follow the student in this step? (Section 2.2, Algorithm 1)"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SIMILARITIES = ("cosine", "sign_cosine")


def gradient_similarity(source: Tensor, target: Tensor, kind: str = "cosine") -> float:
    """Cosine of the angle between two flat gradients (N,), in [-1, 1].

    Args:
        kind: ``cosine`` has the sign of Algorithm 1's inner product. ``sign_cosine`` compares
            the signs of the components only, so that each component has one vote.

    Returns:
        The similarity; 0 if a gradient is zero.
    """
    if kind == "sign_cosine":
        source, target = torch.sign(source), torch.sign(target)
    elif kind != "cosine":
        raise ValueError(f"Unknown similarity {kind!r}: use one of {', '.join(SIMILARITIES)}.")
    dot = float(torch.dot(source, target))
    norms = float(torch.linalg.vector_norm(source)) * float(torch.linalg.vector_norm(target))
    if norms == 0.0:
        return 0.0
    return dot / norms


@dataclass(frozen=True)
class Decision:
    """What the gate said in one step.

    Attributes:
        similarity: the similarity of the two gradients.
        aligned: whether the angle is below 90 degrees.
        alpha: the EMA coefficient to use; 1.0 leaves the teacher as it is.
        finite: False if a gradient is not finite; then there is no optimizer step and no EMA.
        open_weights: (N,) bool, where parts of the network decide for themselves (`PartGate`).
    """

    similarity: float
    aligned: bool
    alpha: float
    finite: bool = True
    open_weights: Tensor | None = None


@dataclass(frozen=True)
class Gate:
    """Chooses the EMA coefficient by the angle between the two domains' gradients.

    Attributes:
        alpha_aligned: the coefficient if the angle is below 90 degrees (the paper: 0.9 or 0.9999).
        alpha_conflict: the coefficient otherwise; 1.0, no update, is the paper's text. Its
            Algorithm 1 prints the opposite condition: swap the two values to get that.
        similarity: see `gradient_similarity`.

    Example:
        >>> gate = Gate(alpha_aligned=0.9, alpha_conflict=1.0)
        >>> right, up, left = torch.tensor([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
        >>> gate.decide(right, up).alpha, gate.decide(right, left).alpha
        (0.9, 1.0)
    """

    alpha_aligned: float = 0.9
    alpha_conflict: float = 1.0
    similarity: str = "cosine"

    def decide(self, source: Tensor, target: Tensor) -> Decision:
        """Decide from the flat gradients (N,) of both domains."""
        # Asked of the gradients themselves: signs are finite even where the gradients are not.
        if not all(math.isfinite(torch.linalg.vector_norm(each)) for each in (source, target)):
            return Decision(math.nan, aligned=False, alpha=1.0, finite=False)
        similarity = gradient_similarity(source, target, self.similarity)
        aligned = similarity > 0.0
        return Decision(similarity, aligned, self.alpha_aligned if aligned else self.alpha_conflict)
