"""Twelve small phantoms of a hospital that the bundled teacher has never seen, to train it on.

usage: python demo/new_center.py FOLDER
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

LOW_DOSE = {
    "name": "low dose",
    "photons": 2e4,
    "contrast_hu": 1000.0,
    "spacing_mm": 0.5,
    "hann_cut": 1.0,
}
"""What its scanner does otherwise than center A's: a thirtieth of the dose, 0.4 of the contrast,
coarser voxels, a sharp kernel. Of several such changes one with which the bundled teacher is poor
but not blind (docs/how-to/train.md)."""

USES = ("training",) * 6 + ("validation",) * 2 + ("test",) * 4
FIRST_SEED = 500
FIELD_MM, VOXEL_MM = 40.0, 0.5
"""Small: about one window of the network."""


def make_cases(folder: Path) -> Path:
    """Image the phantoms with the light model into ``folder``, and return their list's path."""
    from gsema_core.datasets import Case, write_datalist
    from gsema_core.files import write_labels, write_volume
    from gsema_core.simulation.acquisition import acquire
    from gsema_core.simulation.centers import CENTERS
    from gsema_core.simulation.phantom import make_phantom

    folder.mkdir(parents=True, exist_ok=True)
    protocol = dataclasses.replace(CENTERS["A"], **LOW_DOSE)  # type: ignore[arg-type]
    cases = []
    for number, use in enumerate(USES):
        seed = FIRST_SEED + number
        phantom = make_phantom(seed, FIELD_MM, VOXEL_MM)
        image, labels = acquire(phantom, protocol, seed, "light")
        names = {kind: f"{kind}-{number + 1:02d}.nrrd" for kind in ("image", "label")}
        write_volume(image, folder / names["image"])
        write_labels(labels, folder / names["label"])
        patient, center = f"Phantom {number + 1:02d}", LOW_DOSE["name"]
        cases.append(Case(patient, center, folder / names["image"], folder / names["label"], use))
    path = folder / "datalist.json"
    write_datalist(cases, path)
    return path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python demo/new_center.py FOLDER")
    print(make_cases(Path(sys.argv[1])))
