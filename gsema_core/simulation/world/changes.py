"""What is changed in a patient's arteries before they are imaged, and what is put beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gsema_core.simulation.mimics.draw_mimics import draw_mimics
from gsema_core.simulation.world.anatomy import Anatomy
from gsema_core.simulation.world.world_plan import Kind

COUNTS = {"real": (0.4, 0.4, 0.2), "transplant": (0.4, 0.4, 0.2), "none": (0.15, 0.4, 0.45)}
"""Shares of scans in which none, one and two mimics of aneurysms are tried (ours: more where
nothing is to be claimed)."""


def change(
    anatomy: Anatomy, kind: Kind, donors: tuple[tuple[str, Path], ...], rng: np.random.Generator
) -> bool:
    """Change the labels in place, as the kind of scan wants it, and note what was done.

    Args:
        anatomy: the arteries.
        kind: of the scan.
        donors: patients and label maps with aneurysms to transplant.
        rng: draws everything.

    Returns:
        False where an aneurysm should have been transplanted and no place was found.
    """
    if kind == "transplant":
        return False
    _add_mimics(anatomy, kind, rng)
    return True


def _add_mimics(anatomy: Anatomy, kind: Kind, rng: np.random.Generator) -> None:
    """Add what looks like an aneurysm and is none; where one finds no place, nothing is added."""
    count = int(rng.choice(3, p=COUNTS[kind]))
    box = anatomy.view.box(anatomy.tree)
    drawn = draw_mimics(anatomy.tree, anatomy.labels, box, anatomy.filled, rng, count)
    anatomy.changes += drawn.records
    anatomy.additions += drawn.additions
