"""How contrast spreads through an artery tree: which inflow it comes from, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import dijkstra

from gsema_core.configuration import plain
from gsema_core.simulation.trees.artery_tree import ArteryTree

Floats = npt.NDArray[np.float32]

ONE = 0.8
"""Share of scans with contrast from one artery, not from all (ours): rotational angiography is run
with one selective injection, but for a few with contrast in a vein or the aorta."""

FAINT = 0.3
"""Share of injections into one artery that also show the others faintly (ours)."""

PHASES = {"steady": 0.6, "early": 0.15, "late": 0.15, "washed_out": 0.1}
"""Shares of the times of a run (ours): during the injection; before the distal arteries are
reached; after it, when the proximal ones are washed out; and with weak contrast all over."""

STREAMING = 0.25
"""Share of injections whose contrast keeps to one side of the vessels (ours): it is heavier than
blood and the patient lies, or it is a laminar stream."""


@dataclass(frozen=True, kw_only=True)
class Injection:
    """One injection of contrast, and the moment at which it is seen.

    Args:
        strength: of each inflow's contrast, 0 to 1.
        advantage_mm: by how much of way each inflow's blood pushes the others' back.
        mixing_mm: over what difference of ways the bloods of two inflows mix.
        fade_mm: way over which contrast falls to 1/e.
        front_mm: way that the first contrast has come.
        tail_mm: way that the blood behind the contrast has come; not positive while injecting.
        edge_mm: half of the length of those two edges.
        residue: share of the contrast that stays behind the tail.
        density: of all of it, against a full injection.
        side: (3,) k, j, i direction of the side that contrast keeps to, times how much more of it
            is there than in the middle.
        end_mm: ranges of the way over which the ends of arteries fade.
        abrupt_ends: share of ends that stop without fading, as segmented ones do.
        phase: name of the moment.
        seed: of what is drawn for each end.
    """

    strength: tuple[float, ...]
    advantage_mm: tuple[float, ...]
    mixing_mm: float
    fade_mm: float
    front_mm: float = np.inf
    tail_mm: float = -np.inf
    edge_mm: float = 10.0
    residue: float = 1.0
    density: float = 1.0
    side: tuple[float, float, float] = (0.0, 0.0, 0.0)
    end_mm: tuple[float, float] = (2.0, 15.0)
    abrupt_ends: float = 0.2
    phase: str = "steady"
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """For a record; what is infinite is None, as JSON has no such number."""
        values: dict[str, Any] = plain(self)
        for name in ("front_mm", "tail_mm"):
            values[name] = values[name] if np.isfinite(values[name]) else None
        return values


def draw_injection(tree: ArteryTree, focus: int, rng: np.random.Generator) -> Injection:
    """Draw an injection that reaches a voxel of the tree.

    Args:
        tree: the arteries.
        focus: number of the voxel to be seen; the inflow nearest to it is injected.
        rng: draws everything.
    """
    count = len(tree.inflows)
    own = int(tree.way[:, focus].argmin())
    selective = rng.random() < ONE
    if selective:
        faint = rng.uniform(0.1, 0.4) if rng.random() < FAINT else 0.0
        strength = np.full(count, faint)
        strength[own] = 1.0
    else:
        strength = rng.uniform(0.7, 1.0, count)
    advantage = np.zeros(count)
    if selective:
        # The pressure of the injection pushes the others' blood back, or is not enough to.
        advantage[own] = rng.normal(3.0, 8.0)
    way = float(tree.way[own, focus])
    way = way if np.isfinite(way) else 0.0
    phase = str(rng.choice(list(PHASES), p=list(PHASES.values())))
    moment: dict[str, float] = {}
    if phase == "early":
        moment = {"front_mm": way + rng.uniform(5.0, 80.0), "edge_mm": rng.uniform(3.0, 15.0)}
    elif phase == "late":
        moment = {
            "tail_mm": rng.uniform(0.3, 1.2) * way,
            "edge_mm": rng.uniform(5.0, 25.0),
            "residue": rng.uniform(0.35, 0.8),
        }
    elif phase == "washed_out":
        moment = {"density": rng.uniform(0.4, 0.75)}
    return Injection(
        strength=_plain(strength),
        advantage_mm=_plain(advantage),
        mixing_mm=float(rng.uniform(2.5, 8.0)),
        fade_mm=float(rng.uniform(90.0, 400.0) if selective else rng.uniform(150.0, 500.0)),
        side=_draw_side(rng),
        end_mm=(2.0, float(rng.uniform(4.0, 20.0))),
        abrupt_ends=float(rng.uniform(0.0, 0.5)),
        phase=phase,
        seed=int(rng.integers(2**31)),
        **{name: float(value) for name, value in moment.items()},
    )


def fill(tree: ArteryTree, injection: Injection) -> Floats:
    """The contrast at each voxel of the tree: 1 is that of the injected blood.

    Where the ways from two inflows are the same, their bloods meet. A voxel that no way leads to
    has none; what lies behind a small gap is reached across it (`ArteryTree.graph`).

    Returns:
        (N,) from 0 on.
    """
    way = tree.way.astype(np.float64)
    ahead = np.where(np.isfinite(way), way, np.inf) - np.array(injection.advantage_mm)[:, None]
    nearest = ahead.min(axis=0)
    reached = np.isfinite(nearest)
    lead = np.where(reached, ahead - np.where(reached, nearest, 0.0), np.inf)
    blood = np.exp(-lead / injection.mixing_mm)
    blood /= np.maximum(blood.sum(axis=0), 1e-12)
    contrast = _bolus(np.where(np.isfinite(way), way, 0.0), injection)
    mixed = (blood * contrast * np.array(injection.strength)[:, None]).sum(axis=0)
    mixed *= injection.density * _end_fade(tree, injection)
    mixed *= _layering(tree, injection)
    return np.asarray(_one_filling_per_sac(tree, mixed, injection.seed), np.float32)


def _bolus(way: npt.NDArray[np.float64], injection: Injection) -> npt.NDArray[np.float64]:
    """Contrast along the way: behind the front, thinned behind the tail, diluted with the way."""
    contrast = np.exp(-way / injection.fade_mm)
    if np.isfinite(injection.front_mm):
        contrast = contrast * _step((injection.front_mm - way) / injection.edge_mm)
    if np.isfinite(injection.tail_mm):
        behind = _step((injection.tail_mm - way) / injection.edge_mm)
        contrast = contrast * (1.0 - (1.0 - injection.residue) * behind)
    return contrast


def _step(signed: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From 0 at -1 to 1 at 1, smoothly."""
    share = np.clip((signed + 1.0) / 2.0, 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def _end_fade(tree: ArteryTree, injection: Injection) -> npt.NDArray[np.float64]:
    """A factor that falls to 0 at the ends of arteries, over a way drawn for each of them."""
    fade = np.ones(len(tree.voxels))
    if not len(tree.ends):
        return fade
    rng = np.random.default_rng(injection.seed)
    lengths = rng.uniform(*injection.end_mm, len(tree.ends))
    lengths[rng.random(len(tree.ends)) < injection.abrupt_ends] = 0.0
    distance, _, source = dijkstra(
        tree.graph, directed=False, indices=tree.ends, limit=float(injection.end_mm[1]),
        min_only=True, return_predecessors=True,
    )  # fmt: skip
    near = np.flatnonzero(np.isfinite(distance))
    of_end = dict(zip(tree.ends.tolist(), lengths.tolist(), strict=True))
    length = np.array([of_end[int(end)] for end in source[near]])
    fading = length > 0
    near, length = near[fading], length[fading]
    fade[near] = _step(2.0 * np.clip(distance[near] / length, 0.0, 1.0) - 1.0)
    return fade


def _layering(tree: ArteryTree, injection: Injection) -> npt.NDArray[np.float64]:
    """A factor above 1 on the side of each vessel that the contrast keeps to."""
    side = np.array(injection.side)
    if not side.any():
        return np.ones(len(tree.voxels))
    return np.asarray(np.clip(1.0 + tree.offset @ side, 0.2, 1.5))


def _one_filling_per_sac(
    tree: ArteryTree, filling: npt.NDArray[np.float64], seed: int
) -> npt.NDArray[np.float64]:
    """Each sac filled evenly, as its surroundings are, or less where it fills slowly."""
    rng = np.random.default_rng([seed, 1])
    for sac in tree.sacs:
        filling[sac] = np.median(filling[sac]) * sac_share(rng)
    return filling


def sac_share(rng: np.random.Generator) -> float:
    """How a sac is filled against the vessel that it hangs on (ours; one of seven fills slowly)."""
    return float(rng.uniform(0.5, 0.85) if rng.random() < 0.15 else rng.uniform(0.85, 1.1))


def _draw_side(rng: np.random.Generator) -> tuple[float, float, float]:
    if rng.random() >= STREAMING:
        return (0.0, 0.0, 0.0)
    # Mostly the back (j): contrast sinks in a patient who lies.
    side = rng.normal(0.0, 1.0, 3) + ((0.0, 2.5, 0.0) if rng.random() < 0.7 else (0.0, 0.0, 0.0))
    k, j, i = side / np.linalg.norm(side) * rng.uniform(0.15, 0.5)
    return float(k), float(j), float(i)


def _plain(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
