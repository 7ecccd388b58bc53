"""What is changed in a patient's arteries before they are imaged, and what is put beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gsema_core.simulation.mimics.fenestration import fenestrate
from gsema_core.simulation.mimics.infundibulum import add_infundibulum
from gsema_core.simulation.mimics.stenosis import narrow_and_widen
from gsema_core.simulation.world.anatomy import Anatomy
from gsema_core.simulation.world.world_plan import Kind

MIMICS: dict[Callable[..., dict[str, Any] | None], float] = {
    add_infundibulum: 0.4,
    fenestrate: 0.2,
    narrow_and_widen: 0.4,
}
"""How often each kind of change is tried of those that look like an aneurysm (ours: the kinds that
a teacher takes for aneurysms most often)."""

COUNTS = {"real": (0.4, 0.4, 0.2), "transplant": (0.4, 0.4, 0.2), "none": (0.15, 0.4, 0.45)}
"""Shares of scans with none, one and two of them (ours: more where nothing is to be claimed)."""


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
    chosen = rng.choice(len(MIMICS), count, replace=False, p=list(MIMICS.values()))
    for number in chosen:
        mimic = list(MIMICS)[int(number)]
        record = mimic(anatomy.tree, anatomy.labels, box, anatomy.filled, rng)
        if record is not None:
            anatomy.changes.append(record)
