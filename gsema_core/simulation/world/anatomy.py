"""One field of view on one patient's arteries, filled and changed, but not yet imaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import connected_components

from gsema_core.simulation.mimics.addition import Addition
from gsema_core.simulation.mimics.hard_places import hard_places
from gsema_core.simulation.trees.artery_tree import ArteryTree
from gsema_core.simulation.trees.field_of_view import FieldOfView, draw_field
from gsema_core.simulation.trees.injection import Injection, draw_injection, fill
from gsema_core.simulation.world.visibility import FILLED, VISIBLE, Floats, shown, within
from gsema_core.simulation.world.world_plan import Kind

LEAST_VISIBLE_MM3 = 100.0
"""A field shows at least so much of the arteries: about 30 mm of a middle cerebral one (ours)."""

SEEN_SHARE = 0.02
"""Of a sac of which less lies in the field, nobody would say that it is there (that of a pilot)."""

HARD = 0.4
"""Share of fields that are not drawn around an aneurysm and lie around a sharp bend, a wide fork or
an end, where networks claim aneurysms (ours)."""

ERASED = 0.5
"""Share of fields without an aneurysm to be, but with one in them, from which it is taken out, so
that its artery is seen without it; the others are drawn again elsewhere (ours)."""


@dataclass(eq=False)
class Anatomy:
    """The arteries of one scan.

    Args:
        tree: the patient's.
        view: the field of view.
        injection: where the contrast is.
        share: (N,) contrast of the tree's voxels (`shown`).
        labels: (k, j, i) the tree's labels with the changes of this scan.
        erased: numbers of the patient's sacs that were taken out.
        changes: records of what else was changed.
        additions: what lies beside the arteries.
    """

    tree: ArteryTree
    view: FieldOfView
    injection: Injection
    share: Floats
    labels: npt.NDArray[np.uint8]
    erased: list[int] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    additions: list[Addition] = field(default_factory=list)

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        """(N,) which voxels of the tree show their contrast well."""
        return np.asarray(self.share >= FILLED)


def draw_anatomy(tree: ArteryTree, kind: Kind, rng: np.random.Generator) -> Anatomy | None:
    """Draw a field of view and an injection that show what is wanted.

    Args:
        tree: the patient's arteries.
        kind: "real" shows an aneurysm of the patient's own, "none" shows none, and "transplant"
            leaves it open.
        rng: draws everything.

    Returns:
        None where the draw does not show that: draw again.
    """
    if kind == "real":
        sac = tree.sacs[int(rng.integers(len(tree.sacs)))]
        places = tree.voxels[sac]
        low, high = places.min(axis=0), places.max(axis=0) + 1
        focus = int(sac[((places - places.mean(axis=0)) ** 2).sum(axis=1).argmin()])
    else:
        focus = _draw_focus(tree, rng)
        low, high = tree.voxels[focus], tree.voxels[focus] + 1
    view = draw_field(tree, low, high, rng)
    injection = draw_injection(tree, focus, rng)
    share = shown(tree, fill(tree, injection), view.box(tree))
    if share is None:
        return None
    seen = within(tree, view.box(tree)) & (share >= VISIBLE)
    if seen.sum() * tree.spacing**3 < LEAST_VISIBLE_MM3:
        return None
    if kind == "real" and share[focus] < FILLED:
        return None
    anatomy = Anatomy(tree, view, injection, share, tree.labels.copy())
    if kind == "none" and not _erase_sacs(anatomy, rng):
        return None
    return anatomy


def seen_sacs(anatomy: Anatomy) -> list[int]:
    """Numbers of the patient's sacs that the field shows."""
    inside = within(anatomy.tree, anatomy.view.box(anatomy.tree))
    visible = inside & (anatomy.share >= VISIBLE)
    return [
        number for number, sac in enumerate(anatomy.tree.sacs) if visible[sac].mean() > SEEN_SHARE
    ]


def _erase_sacs(anatomy: Anatomy, rng: np.random.Generator) -> bool:
    """Take the sacs out of the field; False where the arteries would fall apart, or by chance."""
    tree = anatomy.tree
    seen = seen_sacs(anatomy)
    if not seen:
        return True
    if rng.random() >= ERASED:
        return False
    gone = np.concatenate([tree.sacs[number] for number in seen])
    if _parts(tree, gone) > _parts(tree, gone[:0]):
        return False
    anatomy.labels[tuple(tree.voxels[gone].T)] = 0
    anatomy.erased += seen
    return True


def _parts(tree: ArteryTree, gone: npt.NDArray[Any]) -> int:
    """How many pieces of the tree are left without some voxels."""
    kept = np.ones(len(tree.voxels), bool)
    kept[gone] = False
    left = tree.graph[kept][:, kept]
    return int(connected_components(left, directed=False)[0])


def _draw_focus(tree: ArteryTree, rng: np.random.Generator) -> int:
    """A voxel in the middle of a vessel: a hard place, or of the thick ones as of the thin ones."""
    hard = hard_places(tree).draw(rng) if rng.random() < HARD else None
    if hard is not None:
        return hard
    medial = tree.medial[~tree.in_sac[tree.medial]]
    radius = tree.radius[medial]
    weights: Sequence[npt.NDArray[Any]] = (radius**2, np.ones(len(medial)), radius > 1.6)
    weight = weights[int(rng.choice(3, p=[0.45, 0.25, 0.3]))] + 1e-6
    return int(rng.choice(medial, p=weight / weight.sum()))
