"""A validation case as a picture: three planes through its aneurysm, and a maximum projection.

The upper row has the outlines of the reference, the lower one those of the teacher, both in the
labels' colors. The patient's right is on the left, as on a reading screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gsema_core.datasets.cache import CachedVolume
from gsema_core.grids.components import connected_components
from gsema_core.inference.folders.overview.pictures import outlines
from gsema_core.labels import ANEURYSM, VESSEL

TILE = 224
"""Pixels of a view's edge: four views side by side fit onto a slide (ours)."""
LEAST_MM = 24.0
"""Edge of a plane around a small aneurysm, so that its vessel is seen (ours)."""
AROUND = 2.4
"""Edge of a plane as a multiple of the aneurysm's extent (ours)."""
GAP, LINE = 4, 22
"""Pixels between views, and of a line of text (ours)."""
BRIGHTEST = 99.5
"""The percentile of a view's pixels that is white (ours)."""
ROWS = ("reference", "teacher")
_RIM: dict[str, Any] = {"stroke_width": 1, "stroke_fill": (0, 0, 0)}
"""Of white texts, so that they are read on white too."""

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class View:
    """A plane or a projection of a volume.

    Attributes:
        title: what it shows.
        flat: takes it out of an array (k, j, i) with a function for projections, upright.
        center: row and column that the picture is centered on.
        edge: of the part that is shown, in voxels.
    """

    title: str
    flat: Callable[[Array], Array]
    center: tuple[float, float]
    edge: float


def draw_case(
    volume: CachedVolume, predicted: NDArray[np.uint8], spacing_mm: float, caption: str = ""
) -> NDArray[np.uint8]:
    """Draw a case.

    Args:
        volume: the case, on the working grid.
        predicted: the teacher's labels (k, j, i).
        spacing_mm: of the grid.
        caption: above the picture.

    Returns:
        (rows, columns, 3); the same size for every case.
    """
    image = np.asarray(volume.image, dtype=np.float32)
    seen = views(volume, spacing_mm)
    step = TILE + GAP
    sheet = np.full((2 * LINE + 2 * step, len(seen) * step - GAP, 3), 255, np.uint8)
    for column, view in enumerate(seen):
        gray = _gray(_sampled(view.flat(image), view), view is seen[-1])
        for row, labels in enumerate((np.asarray(volume.labels), predicted)):
            top, left = 2 * LINE + row * step, column * step
            sheet[top : top + TILE, left : left + TILE] = _outlined(gray, labels, view)
    texts = {(4, 2): caption}
    texts |= {(column * step + 4, LINE): view.title for column, view in enumerate(seen)}
    marks = {(6, 2 * LINE + row * step + 3): name for row, name in enumerate(ROWS)}
    return _written(sheet, texts, marks)


def views(volume: CachedVolume, spacing_mm: float) -> tuple[View, ...]:
    """Where to look: through the largest aneurysm of the reference, else through its vessels."""
    shape = volume.image.shape
    points = _points(volume)
    low, high = points.min(axis=0), points.max(axis=0)
    k, j, i = (int(np.bincount(along).argmax()) for along in points.T)
    ck, cj, ci = (low + high) / 2
    top = shape[0] - 1 - ck  # the head is on top
    extent = float((high - low).max() + 1) if len(volume.aneurysm_voxels) else 0.0
    edge = max(LEAST_MM / spacing_mm, AROUND * extent)
    width = f"{edge * spacing_mm:.0f} mm"
    middle = ((shape[0] - 1) / 2, (shape[2] - 1) / 2)
    return (
        View(f"axial, {width}", lambda a: a[k], (cj, ci), edge),
        View(f"coronal, {width}", lambda a: a[::-1, j], (top, ci), edge),
        View(f"sagittal, {width}", lambda a: a[::-1, :, i], (top, cj), edge),
        View(
            f"from the front, {max(shape[0], shape[2]) * spacing_mm:.0f} mm",
            lambda a: a.max(axis=1)[::-1],
            middle,
            max(shape[0], shape[2]),
        ),
    )


def _points(volume: CachedVolume) -> Array:
    """(N, 3) the voxels to look at, at least one."""
    voxels = np.asarray(volume.aneurysm_voxels)
    if not len(voxels):
        voxels = np.asarray(volume.vessel_voxels)
        return voxels if len(voxels) else np.array([volume.image.shape]) // 2
    low = voxels.min(axis=0)
    mask = np.zeros(voxels.max(axis=0) - low + 1, bool)
    mask[tuple((voxels - low).T)] = True
    numbers, _ = connected_components(mask)
    of_each = numbers[tuple((voxels - low).T)]
    return np.asarray(voxels[of_each == np.bincount(of_each).argmax()])


def _sampled(plane: Array, view: View) -> NDArray[np.float32]:
    """A square of TILE pixels of a plane, 0 where the plane ends."""
    offsets = (np.arange(TILE) - (TILE - 1) / 2) * view.edge / TILE
    rows, columns = (middle + offsets for middle in view.center)
    where = np.meshgrid(rows, columns, indexing="ij")
    sampled = ndimage.map_coordinates(plane.astype(np.float32), where, order=1)
    return np.asarray(sampled, dtype=np.float32)


def _gray(view: NDArray[np.float32], projected: bool) -> NDArray[np.uint8]:
    """A view as it is shown; a projection's darkest twentieth, which is noise, is black."""
    inside = view[view > 0]
    low, high = np.percentile(inside, (5, BRIGHTEST)) if inside.size else (0.0, 1.0)
    low = low if projected else 0.0
    return np.rint(255 * np.clip((view - low) / max(high - low, 1e-6), 0, 1)).astype(np.uint8)


def _outlined(gray: NDArray[np.uint8], labels: Array, view: View) -> NDArray[np.uint8]:
    drawn = np.zeros(gray.shape, np.uint8)
    for value in (VESSEL, ANEURYSM):
        drawn[_sampled(view.flat(labels == value), view) >= 0.5] = value
    lines = outlines(drawn)
    return np.where(lines[..., 3:] > 0, lines[..., :3], gray[..., None]).astype(np.uint8)


def _written(
    sheet: NDArray[np.uint8],
    texts: Mapping[tuple[int, int], str],
    marks: Mapping[tuple[int, int], str],
) -> NDArray[np.uint8]:
    """The picture with its texts, black beside the views and white in them.

    Without Pillow, which TensorBoard and matplotlib bring, it has none: its name says the case.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont

        font = ImageFont.load_default(15)
    except (ImportError, TypeError):  # before version 10.1 there is no font of any size
        return sheet
    picture = Image.fromarray(sheet)
    pen = ImageDraw.Draw(picture)
    for place, text in texts.items():
        pen.text(place, text, fill=(0, 0, 0), font=font)
    for place, text in marks.items():
        pen.text(place, text, fill=(255, 255, 255), font=font, **_RIM)
    return np.asarray(picture)
