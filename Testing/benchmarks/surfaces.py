"""How far lumen surfaces are off on shapes that are known by formula, and what they cost.

Spheres and tubes are drawn in random places and turns on random grids; then a phantom's tree of
SIZE^3 voxels. One JSON line each: of the points' distance to the true wall the mean and RMS in
voxels, and of area and volume the mean and worst ratio.

    python Testing/benchmarks/surfaces.py --shapes 20 --size 512
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import time

import numpy as np

from gsema_core.grids import Geometry, Volume
from gsema_core.simulation.phantom import make_phantom
from gsema_core.surfaces import lumen_surface

FIELD_MM = 64.0
PHANTOM = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", type=int, default=20, help="of each kind and size")
    parser.add_argument("--size", type=int, default=512, help="voxels along the phantom's axes")
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    for stretch in (1.0, 2.0):
        for across in (3.0, 5.0, 10.0, 20.0):
            for length in (0.0, 30.0):
                rows = [shape(random, across / 2, length, stretch) for _ in range(arguments.shapes)]
                name = "tube" if length else "sphere"
                print(json.dumps({"shape": name, "voxels_across": across, "thickest": stretch,
                                  **summary(np.array(rows))}), flush=True)  # fmt: skip
    print(json.dumps(cost(arguments.size)))


def shape(
    random: np.random.Generator, radius: float, length: float, stretch: float
) -> tuple[float, float, float, float]:
    """Mean and RMS distance to the wall of a tube with round ends, ratios of area and volume."""
    spacing = np.array([1.0, 1.0, random.uniform(1.0, stretch)])
    axis = random.standard_normal(3)
    axis /= np.linalg.norm(axis)
    size = np.ceil((length + 2 * radius + 4) / spacing).astype(int)
    origin = -(size - 1) / 2 * spacing + random.uniform(-0.5, 0.5, 3) * spacing
    grid = Geometry(tuple(size), tuple(spacing), tuple(origin))

    def apart(points: np.ndarray) -> np.ndarray:
        along = np.clip(points @ axis, -length / 2, length / 2)
        return np.linalg.norm(points - along[..., None] * axis, axis=-1) - radius

    points = grid.index_to_world(np.moveaxis(np.indices(grid.shape), 0, -1)[..., ::-1])
    labels = Volume((apart(points) <= 0).astype(np.uint8), grid)
    mesh = lumen_surface(labels, closed=True).mesh
    off = apart(mesh.points)
    area = 2 * math.pi * radius * length + 4 * math.pi * radius**2
    voxels = np.count_nonzero(labels.array) * grid.voxel_volume_mm3
    rms = math.sqrt(float((off**2).mean()))
    return float(off.mean()), rms, float(mesh.areas.sum()) / area, mesh.volume_mm3 / voxels


def summary(rows: np.ndarray) -> dict[str, object]:
    mean, rms, area, volume = rows.T
    return {
        "distance_mean": round(float(mean.mean()), 3),
        "distance_rms": round(float(rms.mean()), 3),
        "area": [round(float(area.mean()), 3), round(float(area[abs(area - 1).argmax()]), 3)],
        "volume": [
            round(float(volume.mean()), 4),
            round(float(volume[abs(volume - 1).argmax()]), 4),
        ],
    }


def cost(size: int) -> dict[str, object]:
    labels = make_phantom(PHANTOM, FIELD_MM, FIELD_MM / size)
    before = resource.getrusage(resource.RUSAGE_SELF)
    surface = lumen_surface(labels)
    after = resource.getrusage(resource.RUSAGE_SELF)
    started = time.process_time()
    surface.mesh.fault()
    return {
        "voxels": labels.array.shape,
        "lumen_voxels": int(np.count_nonzero(labels.array)),
        "triangles": len(surface.mesh.triangles),
        "open_ends": len(surface.ends),
        "cpu_seconds": round(
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1
        ),
        "of_it_checking": round(time.process_time() - started, 1),
        "peak_gb": round(after.ru_maxrss / 1e6, 2),
    }


if __name__ == "__main__":
    main()
