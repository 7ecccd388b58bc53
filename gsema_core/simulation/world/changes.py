"""What is changed in a patient's arteries before they are imaged, and what is put beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gsema_core.simulation.mimics.draw_mimics import draw_mimics
from gsema_core.simulation.sacs.neck_rule import divide
from gsema_core.simulation.sacs.sac_library import SacLibrary
from gsema_core.simulation.sacs.sac_plan import SacPlan
from gsema_core.simulation.sacs.transplanting import transplant
from gsema_core.simulation.world.anatomy import Anatomy
from gsema_core.simulation.world.world_plan import Kind

COUNTS = {"real": (0.4, 0.4, 0.2), "transplant": (0.4, 0.4, 0.2), "none": (0.15, 0.4, 0.45)}
"""Shares of scans in which none, one and two mimics of aneurysms are tried (ours: more where
nothing is to be claimed)."""


def change(
    anatomy: Anatomy,
    kind: Kind,
    donors: tuple[tuple[str, Path], ...],
    plan: SacPlan,
    rng: np.random.Generator,
    neck_rule: bool = False,
) -> bool:
    """Change the labels in place, as the kind of scan wants it, and note what was done.

    Args:
        anatomy: the arteries.
        kind: of the scan.
        donors: patients and label maps with aneurysms to transplant.
        plan: the aneurysm to transplant.
        rng: draws everything else.
        neck_rule: whether all aneurysms are divided from their vessels by one rule.

    Returns:
        False where an aneurysm should have been transplanted and no place was found.
    """
    tree, labels, box = anatomy.tree, anatomy.labels, anatomy.view.box(anatomy.tree)
    if kind == "transplant":
        put = transplant(tree, labels, box, anatomy.filled, SacLibrary(donors), rng, plan)
        if put is None:
            return False
        anatomy.changes.append(dict(put))
    if neck_rule:
        labels[:] = divide(labels)
    count = int(rng.choice(3, p=COUNTS[kind]))
    mimics = draw_mimics(tree, labels, box, anatomy.filled, rng, count)
    anatomy.changes += mimics.records
    anatomy.additions += mimics.additions
    return True
