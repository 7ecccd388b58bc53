"""The clicks of the fake worker: what is brighter than 150 is an aneurysm.

Clicks outside take 2 mm around them away from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from gsema_core.files import write_volume
from gsema_core.grids import Geometry, Volume

REACH_MM = 3.0
OUTSIDE_MM = 2.0
kept: dict[str, Volume] = {}


def prepare(request: dict[str, Any]) -> None:
    """Keep the volume; the file may go."""
    kept.clear()
    kept[request["volume_key"]] = Volume.from_image(sitk.ReadImage(request["input"]))


def is_kept(request: dict[str, Any]) -> bool:
    return request["volume_key"] in kept


def click(request: dict[str, Any], mode: str) -> dict[str, Any]:
    """The answer to a click; the label map of the aneurysm's box is written, if there is one."""
    volume = kept[request["volume_key"]]
    geometry, array = volume.geometry, volume.array
    voxels = np.argwhere(np.ones(array.shape, dtype=bool))[:, ::-1]
    places = geometry.index_to_world(voxels)

    def distances_to(point: list[float]) -> np.ndarray:
        return np.linalg.norm(places - point, axis=1).reshape(array.shape)

    distances = distances_to(request["inside_lps"][0])
    highest = np.unravel_index(array.argmax(), array.shape)
    answer = {
        "found": False,
        "message": "There is no aneurysm.",
        "inside_lps": request["inside_lps"],
        "outside_lps": request.get("outside_lps", []),
        "probability": float(array.ravel()[distances.argmin()]) / 250,
        "threshold": request.get("aneurysm_threshold", 0.4),
        "box": None,
        "aneurysm": None,
        "highest_probability": float(array.max()) / 250,
        "highest_lps": geometry.index_to_world(highest[::-1]).tolist(),
        "candidate": None,
        "complete": True,
        "windows": 1,
        "notes": [],
        "report": {"teacher": request["teacher"]},
    }
    pieces, _ = ndimage.label(array > 150)
    mask = np.zeros(array.shape, dtype=bool)
    for point in request["inside_lps"]:
        away = distances_to(point)
        near = np.where((pieces > 0) & (away <= REACH_MM), away, np.inf)
        if np.isfinite(near).any():
            mask |= pieces == pieces.ravel()[near.argmin()]
    for point in request.get("outside_lps", []):
        mask &= distances_to(point) > OUTSIDE_MM
    if mask.any():
        answer.update(found=True, **found(mask, geometry, Path(request["output"]), mode))
    elif (pieces > 0).any():
        nearest = np.where(pieces > 0, distances, np.inf).argmin()
        place = geometry.index_to_world(voxels[nearest])
        distance = distances.ravel()[nearest]
        answer["candidate"] = {"lps": place.tolist(), "probability": 0.8, "distance_mm": distance}
    return answer


def found(mask: np.ndarray, geometry: Geometry, path: Path, mode: str) -> dict[str, Any]:
    (box,) = ndimage.find_objects(mask.astype(np.uint8))
    start = [side.start for side in reversed(box)]
    array = mask[box].astype(np.uint8) * (3 if mode == "otherlabels" else 2)
    shift = 0.3 if mode == "othergrid" else 0.0
    origin = np.add(geometry.index_to_world(start), (shift, 0, 0))
    small = Geometry(array.shape[::-1], geometry.spacing, tuple(origin), geometry.direction)
    if mode != "nofile":
        write_volume(Volume(array, small), path, compress=False)
    centroid = geometry.index_to_world(np.argwhere(mask).mean(axis=0)[::-1])
    row = {
        "index": 1,
        "volume_ml": mask.sum() * geometry.voxel_volume_mm3 / 1000,
        "largest_diameter_mm": 8.0,
        "centroid_lps": centroid.tolist(),
    }
    outside = [10_000, 0, 0] if mode == "outside" else start
    return {"box": {"start_ijk": outside, "size_ijk": array.shape[::-1]}, "aneurysm": row}
