"""A small oblique volume, and DICOM series made on the spot."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.grids import Geometry, Volume

sys.path.insert(0, str(Path(__file__).parent))
import known_image  # noqa: F401 - so that the tests find it once the path is as it was

sys.path.pop(0)


@pytest.fixture
def scan() -> Volume:
    """A small volume of random values on an oblique, anisotropic grid."""
    turned, tilted = np.radians((25, 15))
    turn = [[np.cos(turned), -np.sin(turned), 0], [np.sin(turned), np.cos(turned), 0], [0, 0, 1]]
    tilt = [[1, 0, 0], [0, np.cos(tilted), -np.sin(tilted)], [0, np.sin(tilted), np.cos(tilted)]]
    direction = tuple((np.array(turn) @ tilt)[:, [2, 0, 1]].reshape(-1))
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
