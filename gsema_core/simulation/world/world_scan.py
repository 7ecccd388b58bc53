"""Drawing and imaging one scan of the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from gsema_core.grids import Geometry, Volume
from gsema_core.grids.components import connected_components
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL
from gsema_core.simulation.acquisition import draw_tilt, image_scene, orient
from gsema_core.simulation.case_folder import Made, NotDrawn
from gsema_core.simulation.centers import Protocol
from gsema_core.simulation.mimics.addition import Addition
from gsema_core.simulation.sacs.sac_plan import draw_plan
from gsema_core.simulation.scanner.storing import label_what_shows
from gsema_core.simulation.scanner.world_scanners import held_out_protocol, world_protocol
from gsema_core.simulation.scene import build_scene, gantry_geometry, labels_on
from gsema_core.simulation.trees.artery_tree import ArteryTree
from gsema_core.simulation.world.anatomy import Anatomy, draw_anatomy
from gsema_core.simulation.world.changes import change
from gsema_core.simulation.world.visibility import VISIBLE, Box, Floats, fill_volume
from gsema_core.simulation.world.world_plan import Kind, WorldScan

TRIES = 200
"""Draws of a field and an injection before a scan is given up (ours; most need one or two)."""

TRIES_A_PLAN = 25
"""So often is one and the same aneurysm to be transplanted somewhere, before another is (ours):
what fits everywhere would else become more frequent than what does not."""

MARGIN_MM = 5.0
"""What lies this far beyond the field is in the beam too: its arteries leave streaks (ours)."""

SCENE_VOXELS, SCENE_MM = 8e6, (0.4, 0.6)
"""The scene's voxels: as fine as the label maps at hand where the field is small, and no more of
them in a large field than can be projected in half a minute (ours)."""


def make_scan(tree: ArteryTree, scan: WorldScan, donors: tuple[tuple[str, Path], ...] = ()) -> Made:
    """Draw a scan of a patient as planned, and image it.

    Args:
        tree: the patient's arteries.
        scan: the plan's entry; its seed gives the same voxels.
        donors: patients and label maps with aneurysms to transplant, never a patient's own.

    Raises:
        NotDrawn: nothing as planned can be drawn from these arteries.
    """
    if scan.kind == "real" and not tree.sacs:
        raise NotDrawn(
            f"The label map of patient {scan.patient} has no aneurysm to show: leave it out of the "
            "manifest, or label it."
        )
    for attempt in range(TRIES):
        rng = np.random.default_rng([scan.seed, attempt])
        plan = draw_plan(np.random.default_rng([scan.seed, attempt // TRIES_A_PLAN, 1]))
        anatomy = draw_anatomy(tree, scan.kind, rng)
        if anatomy is None or not change(anatomy, scan.kind, donors, plan, rng, scan.neck_rule):
            continue
        protocol = _protocol(scan, attempt, anatomy)
        parts = _Parts.of(anatomy, draw_tilt(protocol, rng), protocol.spacing_mm, rng)
        if not _as_planned(parts.stored, scan.kind):
            continue
        made = _image(parts, anatomy, scan, protocol, rng)
        if _as_planned(made.labels, scan.kind):  # a scanner may store less than the field
            return replace(made, record={**made.record, "attempt": attempt})
    raise NotDrawn(
        f"No scan of kind {scan.kind} could be drawn of patient {scan.patient} in {TRIES} tries: "
        "look at its label map, or leave it out of the manifest."
    )


@dataclass(frozen=True, eq=False)
class _Parts:
    """A part of the changed tree that covers the scene, and the grids of scene and volume.

    Args:
        labels: everything with contrast in the part, also what is no artery.
        filling: its contrast.
        metal: HU of clips and coils, or None.
        scene_grid: a little larger than the stored one, on the same axes.
        stored_grid: of the stored volume, on the gantry's axes.
        stored: the labels on it.
    """

    labels: Volume
    filling: Volume
    metal: Volume | None
    scene_grid: Geometry
    stored_grid: Geometry
    stored: Volume

    @classmethod
    def of(
        cls, anatomy: Anatomy, tilt: Rotation, spacing_mm: float, rng: np.random.Generator
    ) -> _Parts:
        tree = anatomy.tree
        field = anatomy.view.geometry(tree)
        wide = replace(anatomy.view, size_mm=anatomy.view.size_mm + 2 * MARGIN_MM)
        voxel = float(np.clip(np.cbrt(np.prod(wide.size_mm) / SCENE_VOXELS), *SCENE_MM))
        scene_grid = gantry_geometry(wide.geometry(tree), voxel, tilt)
        stored_grid = gantry_geometry(field, spacing_mm, tilt)
        box = _box_around(scene_grid, tree)
        part = tuple(slice(low, high) for low, high in zip(*box, strict=True))
        labels = anatomy.labels[part].copy()
        filling = fill_volume(tree, anatomy.share, anatomy.labels, box, rng)
        origin = tree.geometry.index_to_world(box[0][::-1])
        grid = Geometry(
            labels.shape[::-1], tree.geometry.spacing, tuple(origin), tree.geometry.direction
        )
        visible = np.where(filling >= VISIBLE, labels, BACKGROUND).astype(np.uint8)
        stored = labels_on(Volume(visible, grid), stored_grid)
        metal = _add_beside(anatomy.additions, labels, filling, box[0])
        filling *= np.float32(anatomy.injection.density)
        return cls(
            Volume(labels, grid), Volume(filling, grid),
            None if metal is None else Volume(metal, grid), scene_grid, stored_grid, stored,
        )  # fmt: skip


def _add_beside(
    additions: Sequence[Addition],
    labels: npt.NDArray[np.uint8],
    filling: Floats,
    corner: npt.NDArray[Any],
) -> Floats | None:
    """Fill what has contrast and is no artery, in place; return the metal, if there is any."""
    metal = np.zeros(labels.shape, np.float32)
    for addition in additions:
        places = addition.voxels - corner
        inside = np.all((places >= 0) & (places < labels.shape), axis=1)
        part = replace(addition, voxels=places[inside], values=addition.values[inside])
        part.add_to(metal if addition.kind == "metal" else filling)
        if addition.kind == "faint":
            at = tuple(part.voxels.T)
            labels[at] = np.maximum(labels[at], VESSEL)
    return metal if metal.any() else None


def _box_around(grid: Geometry, tree: ArteryTree) -> Box:
    """The part of the tree's array that a grid can see."""
    last = np.array(grid.size) - 1
    corners = np.array(np.meshgrid(*[(0, n) for n in last])).reshape(3, -1).T
    places = tree.geometry.world_to_index(grid.index_to_world(corners))[:, ::-1]
    shape = np.array(tree.labels.shape)
    low = np.clip(np.floor(places.min(axis=0)).astype(int) - 2, 0, shape - 1)
    high = np.clip(np.ceil(places.max(axis=0)).astype(int) + 3, low + 1, shape)
    return low, high


def _protocol(scan: WorldScan, attempt: int, anatomy: Anatomy) -> Protocol:
    """A scanner of the scan's own, set to the field of view."""
    draw = held_out_protocol if scan.held_out else world_protocol
    protocol = draw(scan.seed + attempt, float(anatomy.view.size_mm.max()))
    return replace(protocol, spacing_mm=anatomy.view.spacing_mm)


def _as_planned(labels: Volume, kind: Kind) -> bool:
    """Whether labels have an aneurysm where the plan wants one, and only there."""
    return bool((labels.array == ANEURYSM).any()) == (kind != "none")


def _image(
    parts: _Parts, anatomy: Anatomy, scan: WorldScan, protocol: Protocol, rng: np.random.Generator
) -> Made:
    scene = build_scene(parts.labels, parts.scene_grid, protocol, rng, parts.filling, parts.metal)
    image = image_scene(scene, parts.stored_grid, protocol, rng, scan.model)
    labels = label_what_shows(parts.stored, protocol, image)
    record = {
        "kind": scan.kind,
        "model": scan.model,
        "seed": scan.seed,
        "field": anatomy.view.to_dict(),
        "injection": anatomy.injection.to_dict(),
        "erased_sacs": anatomy.erased,
        "changes": [*anatomy.changes, *(addition.record for addition in anatomy.additions)],
        "sacs": list_sacs(labels),
        "protocol": protocol.to_dict(),
    }
    code = protocol.orientation
    return Made(orient(image, code), orient(labels, code), record)


def list_sacs(labels: Volume) -> list[dict[str, Any]]:
    """Middle, volume and largest diameter of each aneurysm that a label map shows."""
    mask = labels.array == ANEURYSM
    if not mask.any():
        return []
    components, count = connected_components(mask)
    grid, sacs = labels.geometry, []
    for number in range(1, count + 1):
        voxels = np.argwhere(components == number)
        points = grid.index_to_world(voxels[:, ::-1])
        sacs.append(
            {
                "center_lps": [round(float(value), 2) for value in points.mean(axis=0)],
                "volume_mm3": round(len(voxels) * grid.voxel_volume_mm3, 2),
                "diameter_mm": round(_largest_diameter(points) + grid.spacing[0], 2),
            }
        )
    return sacs


def _largest_diameter(points: npt.NDArray[np.float64]) -> float:
    """Largest distance in mm between two of many points."""
    some = points[:: max(1, len(points) // 3000)]
    axes = Rotation.random(60, random_state=0).as_matrix()[:, 0]
    reach = some @ axes.T
    outer = some[np.unique(np.concatenate([reach.argmax(axis=0), reach.argmin(axis=0)]))]
    return float(cdist(outer, outer).max())
