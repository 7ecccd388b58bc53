"""Views as small images in text: gray as JPEG, the segments over it as a PNG with holes."""

from __future__ import annotations

import base64
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from gsema_core.files.native_libraries import native_libraries
from gsema_core.grids import Volume
from gsema_core.inference.folders.overview.views import (
    Pixels,
    View,
    aneurysm_slice,
    projection,
)
from gsema_core.intensities.image_only import only_image
from gsema_core.intensities.scaling import IntensityRule
from gsema_core.labels import ANEURYSM, COLORS, VESSEL
from gsema_core.measurements.aneurysm import Aneurysm
from gsema_core.measurements.aneurysms import aneurysm_voxels

MOST_SLICES = 6
"""Aneurysms of a scan that are shown in slices, the largest first. Our choice."""
JPEG_QUALITY = 75
"""Of 100: a projection takes 4 to 7 kB, and no block is seen. Our choice."""
OUTLINES = {
    label: (*(round(255 * channel) for channel in color), 255) for label, color in COLORS.items()
}
"""RGB and opacity: the segments' colors. Vessels have a thin outline, aneurysms a thick one."""


class Shown(Protocol):
    """What a ``PreparedScan`` has."""

    @property
    def scan(self) -> Volume:
        """The scan without what is no image."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The intensities that are black and white."""


@dataclass(frozen=True, eq=False)
class ShownScan:
    """A scan for pictures alone."""

    scan: Volume
    bounds: tuple[float, float]


def shown(volume: Volume) -> ShownScan:
    """A scan that no teacher looks at, as pictures take it."""
    image = only_image(volume.array)
    bounds = IntensityRule().bounds(image.array, image.fill_share)
    return ShownScan(Volume(image.array, volume.geometry), bounds)


def draw_pictures(scan: Shown, labels: Volume, aneurysms: list[Aneurysm]) -> list[dict[str, Any]]:
    """A scan's projection and its aneurysms' slices, as a page takes them.

    Args:
        scan: the scan, from ``shown`` or prepared for a teacher.
        labels: on its grid.
        aneurysms: of these labels, from ``measure_aneurysms``.
    """
    volume, bounds = scan.scan, scan.bounds
    centroids = [aneurysm.centroid_lps for aneurysm in aneurysms]
    views = [projection(volume, labels, centroids, bounds)]
    for aneurysm, voxels in zip(aneurysms, aneurysm_voxels(labels)[:MOST_SLICES], strict=False):
        points = volume.geometry.index_to_world(voxels)
        views.append(aneurysm_slice(volume, labels, points, aneurysm.index, bounds))
    return [_coded(view) for view in views]


def _coded(view: View) -> dict[str, Any]:
    rows, columns = view.gray.shape
    return {
        "title": view.title,
        "letters": view.plane.letters,
        "width": columns,
        "height": rows,
        "mm": round(view.mm, 4),
        "marks": [(number, round(x, 3), round(y, 3)) for number, x, y in view.marks],
        "gray": _text(view.gray, "view.jpg", JPEG_QUALITY),
        "outlines": _text(outlines(view.labels), "view.png", 9),
    }


def outlines(labels: Pixels) -> Pixels:
    """The rims of labels (rows, columns) as RGBA, clear elsewhere."""
    colors = np.zeros((*labels.shape, 4), np.uint8)
    for value, width in ((VESSEL, 1), (ANEURYSM, 2)):
        mask = labels == value
        mask_and_more = mask if value == ANEURYSM else labels > 0  # no line where they touch
        inside = ndimage.binary_erosion(mask_and_more, iterations=width, border_value=1)
        colors[mask & ~inside] = OUTLINES[value]
    return colors


def _text(pixels: Pixels, name: str, level: int) -> str:
    """The bytes of an image file in base 64."""
    image = sitk.GetImageFromArray(pixels, isVector=pixels.ndim == 3)
    with tempfile.TemporaryDirectory() as folder, native_libraries():
        path = Path(folder) / name
        sitk.WriteImage(image, str(path), useCompression=True, compressionLevel=level)
        return base64.b64encode(path.read_bytes()).decode("ascii")
