"""A sac treated with coils: a ball of platinum wire in which no blood flows.

The packed part is background: it holds no contrast, and a reader does not count it as aneurysm.
What is still filled at the neck, or beside the coils, stays aneurysm.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from gsema_core.grids.components import connected_components
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL
from gsema_core.simulation.mimics.addition import Addition
from gsema_core.simulation.mimics.courses import Box, Ints
from gsema_core.simulation.mimics.tubes import any_direction, grown
from gsema_core.simulation.trees.artery_tree import ArteryTree

PACKED_HU = 80_000.0
"""A sac of which a quarter is platinum, at 60 keV (NIST XCOM; packing of 20 to 30 %)."""

UNEVEN = 0.3
"""Relative change of the density from place to place: loops of wire and gaps (ours)."""

LEAST_MM3 = 15.0
"""Smaller sacs are seldom coiled (a ball of 3 mm)."""

OUTCOMES = {"complete": 0.55, "neck": 0.3, "sac": 0.15}
"""Nothing filled, a rest at the neck, a filled part of the sac: Raymond and Roy's classes I to III
(Stroke 2001); shares are ours."""

REMNANT_MM3 = 4.0
"""A smaller filled rest is not labelled, and not filled either."""


def coil_sac(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> Addition | None:
    """Pack one of the patient's sacs; its packed voxels become background in ``labels``.

    See `gsema_core.simulation.trees` for the arguments. None where no sac in the field is large
    enough and as the patient has it.
    """
    sacs = [sac for sac in tree.sacs if _suits(tree, labels, box, filled, sac)]
    if not sacs:
        return None
    sac = sacs[int(rng.integers(len(sacs)))]
    outcome = str(rng.choice(list(OUTCOMES), p=list(OUTCOMES.values())))
    packed = _packed(tree, sac, outcome, rng)
    voxels = tree.voxels[sac]
    rest = _remnant(tree, labels, voxels, packed)
    labels[tuple(voxels[~rest].T)] = BACKGROUND
    coils = voxels[packed]
    values = np.float32(PACKED_HU) * _texture(coils, tree.spacing, rng)
    record = {
        "kind": "coils",
        "outcome": outcome,
        "at": [round(float(value), 1) for value in coils.mean(axis=0)],
        "packed_mm3": round(len(coils) * tree.spacing**3, 1),
        "rest_mm3": round(int(rest.sum()) * tree.spacing**3, 1),
    }
    return Addition("metal", coils, values.astype(np.float32), record)


def _suits(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    sac: Ints,
) -> bool:
    voxels = tree.voxels[sac]
    inside = bool(((voxels >= box[0]) & (voxels < box[1])).all())
    unchanged = bool((labels[tuple(voxels.T)] == ANEURYSM).all())
    large = len(sac) * tree.spacing**3 >= LEAST_MM3
    return inside and unchanged and large and bool(filled[sac].mean() > 0.5)


def _packed(
    tree: ArteryTree, sac: Ints, outcome: str, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """(N,) which voxels of the sac the coils take."""
    voxels = tree.voxels[sac]
    if outcome == "complete":
        return np.ones(len(sac), bool)
    vessel = tree.voxels[~tree.in_sac]
    depth = cKDTree(vessel).query(voxels)[0] * tree.spacing
    if outcome == "neck":
        return np.asarray(depth > rng.uniform(0.25, 0.45) * depth.max())
    side = (voxels - voxels.mean(axis=0)) @ any_direction(rng)
    return np.asarray((side > np.quantile(side, rng.uniform(0.3, 0.5))) & (depth > tree.spacing))


def _remnant(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    voxels: Ints,
    packed: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """(N,) what blood still fills: pieces that touch the artery and are large enough to be seen."""
    low, high = voxels.min(axis=0) - 1, voxels.max(axis=0) + 2
    low = np.maximum(low, 0)
    artery = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] == VESSEL
    open_ = np.zeros(artery.shape, bool)
    open_[tuple((voxels[~packed] - low).T)] = True
    parts, count = connected_components(open_)
    mouth = grown(artery)
    kept = np.zeros(count + 1, bool)
    for number in range(1, count + 1):
        part = parts == number
        kept[number] = part.sum() * tree.spacing**3 >= REMNANT_MM3 and (part & mouth).any()
    return np.asarray(kept[parts[tuple((voxels - low).T)]])


def _texture(voxels: Ints, spacing: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(N,) a factor around 1 that changes over a loop's width of 1 mm."""
    low = voxels.min(axis=0)
    noise = rng.standard_normal(voxels.max(axis=0) - low + 1)
    smooth = ndimage.gaussian_filter(noise, 0.5 / spacing)
    smooth /= max(float(smooth.std()), 1e-6)
    return np.asarray(np.clip(1.0 + UNEVEN * smooth[tuple((voxels - low).T)], 0.4, 2.0))
