"""Real sacs of a set of patients, to be put on the arteries of others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from gsema_core.errors import UserError
from gsema_core.files import read_labels
from gsema_core.simulation.sacs.sac_shape import SacShape, shapes_of


@dataclass(frozen=True)
class SacLibrary:
    """Label maps with aneurysms, each read when it is first drawn from, and then kept.

    Args:
        donors: the patients' names and label maps, always in the same order. Patients that a
            network is tested or chosen on must not be among them.

    Example:
        >>> SacLibrary(()).donors_for("AN2")
        ()
    """

    donors: tuple[tuple[str, Path], ...]

    def donors_for(self, patient: str) -> tuple[tuple[str, Path], ...]:
        """All but the patient's own: a scan would show an aneurysm twice."""
        return tuple(donor for donor in self.donors if donor[0] != patient)

    def draw(self, patient: str, rng: np.random.Generator) -> SacShape | None:
        """A sac of another patient; None where there is none, or where the one drawn has none.

        Raises:
            UserError: a label map cannot be read, or its voxels are not isotropic.
        """
        donors = self.donors_for(patient)
        if not donors:
            return None
        name, path = donors[int(rng.integers(len(donors)))]
        shapes = _shapes(name, path)
        return shapes[int(rng.integers(len(shapes)))] if shapes else None


@lru_cache(maxsize=512)
def _shapes(name: str, path: Path) -> tuple[SacShape, ...]:
    labels = read_labels(path)
    spacing = labels.geometry.spacing
    if not np.allclose(spacing, spacing[0], rtol=1e-3):
        raise UserError(f"{path} has voxels of {spacing} mm: resample it to isotropic ones.")
    return shapes_of(labels.array.astype(np.uint8, copy=False), spacing[0], name)
