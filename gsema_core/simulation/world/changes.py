"""What is changed in a patient's arteries before they are imaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gsema_core.simulation.world.anatomy import Anatomy
from gsema_core.simulation.world.world_plan import Kind


def change(
    anatomy: Anatomy, kind: Kind, donors: tuple[Path, ...], rng: np.random.Generator
) -> bool:
    """Change the labels in place, as the kind of scan wants it, and note what was done.

    Returns:
        False where an aneurysm should have been transplanted and no place was found.
    """
    return kind != "transplant"
