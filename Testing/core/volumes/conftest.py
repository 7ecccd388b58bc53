"""Grids of every kind, a shape known by formula on each, and DICOM series made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.volumes import Geometry, Volume


def _rotation(axis: int, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[[one, one, two, two], [one, two, one, two]] = c, -s, s, c
    return matrix


_OBLIQUE = _rotation(2, 20) @ _rotation(0, -15) @ _rotation(1, 10)
_PERMUTED = np.eye(3)[:, [2, 0, 1]]
_FLIPPED = np.diag([-1.0, -1.0, 1.0])
_MIRRORED = np.diag([1.0, -1.0, 1.0])  # left-handed, as some exports are

_DIRECTIONS = {
    "plain": np.eye(3),
    "flipped": _FLIPPED,
    "mirrored": _MIRRORED,
    "permuted": _PERMUTED,
    "oblique": _OBLIQUE,
    "oblique permuted flipped": _OBLIQUE @ _PERMUTED @ _FLIPPED,
}
GRIDS = [(name, spacing) for name in _DIRECTIONS for spacing in ("cubic", "anisotropic")]


@pytest.fixture(params=GRIDS, ids=lambda grid: f"{grid[0]}, {grid[1]}")
def geometry(request: pytest.FixtureRequest) -> Geometry:
    name, kind = request.param
    spacing = (0.4, 0.4, 0.4) if kind == "cubic" else (0.3, 0.5, 0.8)
    size = (60, 50, 44) if kind == "cubic" else (70, 48, 30)
    direction = tuple(_DIRECTIONS[name].reshape(-1))
    return Geometry(size, spacing, (-31.0, 17.0, 102.5), direction)


def world_of(geometry: Geometry) -> np.ndarray:
    """Every voxel's position in mm (LPS), as (k, j, i, 3)."""
    k, j, i = np.indices(geometry.shape)
    return geometry.index_to_world(np.stack([i, j, k], axis=-1).reshape(-1, 3)).reshape(
        *geometry.shape, 3
    )


@pytest.fixture
def world() -> Callable[[Geometry], np.ndarray]:
    return world_of


@pytest.fixture
def sphere_distance() -> Callable[[Geometry], np.ndarray]:
    """Signed distance in mm (negative inside) of each voxel from an off-center sphere."""

    def distance(geometry: Geometry) -> np.ndarray:
        center = np.add(geometry.center, (1.3, -1.1, 0.7))
        return np.linalg.norm(world_of(geometry) - center, axis=-1) - 4.0

    return distance


@pytest.fixture
def scan() -> Volume:
    """A small volume of random values on an oblique, anisotropic grid."""
    direction = tuple((_OBLIQUE @ _PERMUTED).reshape(-1))
    array = np.random.default_rng(0).normal(100, 30, (7, 9, 8)).astype(np.float32)
    return Volume(array, Geometry((8, 9, 7), (0.3, 0.5, 0.8), (-31.0, 17.0, 102.5), direction))


@pytest.fixture
def write_dicom() -> Callable[..., None]:
    """Write a volume as one DICOM file a slice, named against the slices' order."""
    ct = "1.2.840.10008.5.1.4.1.1.2"

    def write(
        folder: Path,
        volume: Volume,
        *,
        uid: str = "1.2.3.4",
        description: str = "3DRA",
        sop_class: str = ct,
        skip: tuple[int, ...] = (),
        shift_mm: float = 0.0,
        color: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        grid = volume.geometry
        axes = grid.direction_matrix
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        for k, pixels in enumerate(volume.array.astype(np.int16)):
            if k in skip:
                continue
            if color:
                rgb = np.repeat(pixels.astype(np.uint8)[..., None], 3, axis=-1)
                image = sitk.GetImageFromArray(rgb, isVector=True)
            else:
                image = sitk.GetImageFromArray(pixels[None])
            image.SetSpacing(grid.spacing[: image.GetDimension()])
            position = grid.index_to_world((0, 0, k)) + axes[:, 0] * shift_mm * k
            for tag, value in {
                "0008|0016": sop_class,
                "0008|0018": f"{uid}.{k + 1}",
                "0008|0060": "XA",
                "0008|103e": description,
                "0020|000d": "1.2.3",
                "0020|000e": uid,
                "0020|0013": str(k + 1),
                "0020|0032": "\\".join(f"{x:.10g}" for x in position),
                "0020|0037": "\\".join(f"{x:.10g}" for x in axes[:, :2].T.reshape(-1)),
                "0028|0030": f"{grid.spacing[1]}\\{grid.spacing[0]}",
                "0018|0050": f"{grid.spacing[2]}",
            }.items():
                image.SetMetaData(tag, value)
            writer.SetFileName(str(folder / f"{uid}-{900 - k}.dcm"))
            writer.Execute(image)

    return write
