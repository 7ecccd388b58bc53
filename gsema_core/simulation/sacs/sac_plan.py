"""What kind of aneurysm is put on a tree, drawn before it is known what fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Place = Literal["bifurcation", "bend", "side", "fusiform"]

PLACES: dict[Place, float] = {"bifurcation": 0.5, "bend": 0.25, "side": 0.15, "fusiform": 0.1}
"""Shares of the places. Most saccular aneurysms arise where an artery divides, many on the outer
side of a bend; about a tenth are fusiform (ours)."""

SIZES_MM: dict[tuple[float, float], float] = {
    (1.5, 3.0): 0.27, (3.0, 5.0): 0.30, (5.0, 10.0): 0.28, (10.0, 25.0): 0.15
}  # fmt: skip
"""Shares of the largest diameters of sacs, log-uniform within each range. More small and more large
ones than among patients' (of 79 sacs of the IntrA trees none is under 3.5 mm, 7 are 10 mm or more),
so that each range is seen often (ours)."""

BROAD = 0.5
"""Share of broad necks (ours)."""

PARAMETRIC = 0.3
"""Share of parametric sacs; the others are real ones, where there is a library (ours)."""

WITH_BLEB = 0.25
"""Share of real sacs that get a daughter lobe (ours)."""

FUSIFORM_MM = (4.0, 15.0)
"""Range of the lengths of fusiform pieces, log-uniform: shorter, it is a step in an artery's width;
longer, arteries divide (ours)."""


@dataclass(frozen=True)
class SacPlan:
    """An aneurysm to be.

    Args:
        place: where on the tree.
        diameter_mm: its largest one; of a fusiform piece the length.
        broad: whether its neck is wider than half of the sac; a wish, where an artery allows it.
        parametric: whether it is made of ellipsoids instead of copied from a patient.
        bleb: whether it gets a daughter lobe.
    """

    place: Place
    diameter_mm: float
    broad: bool
    parametric: bool
    bleb: bool


def draw_plan(rng: np.random.Generator) -> SacPlan:
    """Draw place, size and shape, each on its own."""
    place = list(PLACES)[int(rng.choice(len(PLACES), p=list(PLACES.values())))]
    sizes = list(SIZES_MM)
    low, high = sizes[int(rng.choice(len(sizes), p=list(SIZES_MM.values())))]
    if place == "fusiform":
        low, high = FUSIFORM_MM
    diameter = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    draws = rng.random(3)
    return SacPlan(
        place, diameter, bool(draws[0] < BROAD), bool(draws[1] < PARAMETRIC),
        bool(draws[2] < WITH_BLEB),
    )  # fmt: skip
