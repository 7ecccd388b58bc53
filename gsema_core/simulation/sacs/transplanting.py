"""Putting one aneurysm on an artery tree."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.simulation.sacs.fusiform import widen
from gsema_core.simulation.sacs.sac_library import SacLibrary
from gsema_core.simulation.sacs.sac_placing import WRAPPING_MM, Placed, place_sac
from gsema_core.simulation.sacs.sac_plan import SacPlan, draw_plan
from gsema_core.simulation.sacs.sac_shape import SacShape, parametric_shape
from gsema_core.simulation.sacs.sac_sites import (
    Box,
    SacSite,
    sac_sites,
    tube_voxels,
)
from gsema_core.simulation.trees.artery_tree import ArteryTree

TRIES, SITES, DRAWS = 4, 16, 30
"""Shapes tried at each site, sites tried, and real sacs drawn for a shape before a parametric one
stands in (ours)."""

BROAD_FROM = 0.55
"""A neck is broad from this share of the sac's diameter on: half of 51 sacs of the IntrA trees."""

NARROWEST = 0.25
"""The narrowest parametric neck, as a share of the sac's diameter (ours; of 51 sacs of the IntrA
trees 0.23)."""

LEAST_NECK_MM = 0.5
"""The least radius of a neck: a narrower one closes on a grid of 0.4 mm (ours)."""

NECK_OF_VESSEL = {"bifurcation": 1.5, "bend": 1.1, "side": 1.1}
"""The largest radius of a neck, as a multiple of the artery's (a pilot's)."""

WRAPPING_NECK = 2.5
"""The same of a large sac at a bifurcation, whose neck takes in beginnings of branches (ours)."""

MAGNIFIED = 1.7
"""A real sac is magnified no more: at 2.5, sacs of 4 mm looked like hewn blocks (ours)."""


class Transplant(TypedDict):
    """What was put where, as JSON values; lengths in mm, rounded."""

    change: str
    place: str
    wanted_mm: float
    diameter_mm: float
    neck_mm: float
    height_mm: float
    volume_mm3: float
    vessel_radius_mm: float
    point_kji: list[int]
    shape: str


def transplant(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    library: SacLibrary | None,
    rng: np.random.Generator,
    plan: SacPlan | None = None,
    refusals: Counter[str] | None = None,
) -> Transplant | None:
    """Put one aneurysm on the arteries.

    Args:
        tree: the arteries before any change.
        labels: (k, j, i) a copy of its labels, changed in place: the aneurysm is 2, and lies where
            no lumen was, so that the neck continues the artery's wall.
        box: the field of view: lowest k, j, i, and one beyond the highest.
        filled: (N,) which of the tree's voxels show contrast.
        library: real sacs; without it all are parametric. The patient's own are left out.
        rng: draws everything.
        plan: what to put; drawn if not given.
        refusals: counts why tries failed, for a look at what is refused.

    Returns:
        What was done, or None where none of what was planned fits: ``labels`` is unchanged.
    """
    plan = plan or draw_plan(rng)
    refused = Counter[str]() if refusals is None else refusals
    if plan.place == "fusiform":
        return _put_fusiform(tree, labels, box, filled, plan, rng, refused)
    sites = sac_sites(tree, labels, box, filled, plan.place, plan.diameter_mm, rng)
    for number, site in zip(range(SITES), sites, strict=False):
        for _ in range(TRIES):
            shape = _draw_shape(site, plan, tree.patient, library, rng, number >= SITES // 2)
            if shape is None:
                refused["no shape with such a neck"] += 1
                continue
            placed = place_sac(tree, labels, box, site, shape, plan.diameter_mm, rng)
            if isinstance(placed, str):
                refused[placed] += 1
                continue
            labels[tuple(placed.voxels.T)] = ANEURYSM
            return _record(placed, site, shape, plan)
    refused["no site left"] += 1
    return None


def largest_neck_mm(site: SacSite, diameter_mm: float) -> float:
    """The largest radius of a neck at a site."""
    wraps = site.place == "bifurcation" and diameter_mm >= WRAPPING_MM
    return (WRAPPING_NECK if wraps else NECK_OF_VESSEL[site.place]) * site.radius_mm


def _draw_shape(
    site: SacSite,
    plan: SacPlan,
    patient: str,
    library: SacLibrary | None,
    rng: np.random.Generator,
    any_neck: bool,
) -> SacShape | None:
    """A shape whose neck is as planned, if that can be, and fits on the artery."""
    widest = min(2 * largest_neck_mm(site, plan.diameter_mm) / plan.diameter_mm, 0.95)
    least = 2 * LEAST_NECK_MM / plan.diameter_mm
    low, high = (BROAD_FROM, 0.95) if plan.broad else (NARROWEST, BROAD_FROM)
    if any_neck:
        low, high = 0.0, 0.95
    low, high = max(low, min(least, 0.8)), min(high, widest)
    if low >= high:
        return None
    for _ in range(0 if plan.parametric or library is None else DRAWS):
        shape = library.draw(patient, rng) if library else None
        if shape is None or plan.diameter_mm > MAGNIFIED * shape.diameter_mm:
            continue
        if low <= shape.neck_share <= high:
            return shape.with_bleb(rng) if plan.bleb else shape
    narrowest = min(max(low, NARROWEST), high)
    return parametric_shape(plan.diameter_mm, (narrowest, high), rng)


def _record(placed: Placed, site: SacSite, shape: SacShape, plan: SacPlan) -> Transplant:
    return Transplant(
        change="sac",
        place=plan.place,
        wanted_mm=round(plan.diameter_mm, 2),
        diameter_mm=round(placed.diameter_mm, 2),
        neck_mm=round(float(placed.neck_mm), 2),
        height_mm=round(placed.height_mm, 2),
        volume_mm3=round(placed.volume_mm3, 1),
        vessel_radius_mm=round(site.radius_mm, 2),
        point_kji=[int(value) for value in site.point],
        shape=shape.name,
    )


def _put_fusiform(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    plan: SacPlan,
    rng: np.random.Generator,
    refused: Counter[str],
) -> Transplant | None:
    voxels = tube_voxels(tree, labels, box, filled, rng)
    for _, voxel in zip(range(SITES * TRIES), voxels, strict=False):
        widened = widen(tree, labels, box, voxel, plan.diameter_mm, rng)
        if isinstance(widened, str):
            refused[widened] += 1
            continue
        labels[tuple(widened.vessel.T)] = VESSEL
        labels[tuple(widened.sac.T)] = ANEURYSM
        point: Any = tree.voxels[voxel]
        return Transplant(
            change="sac",
            place="fusiform",
            wanted_mm=round(plan.diameter_mm, 2),
            diameter_mm=round(widened.widest_mm, 2),
            neck_mm=0.0,
            height_mm=0.0,
            volume_mm3=round(len(widened.sac) * tree.spacing**3, 1),
            vessel_radius_mm=round(float(tree.radius[voxel]), 2),
            point_kji=[int(value) for value in point],
            shape="fusiform",
        )
    refused["no site left"] += 1
    return None
