"""What lies in the beam: contrast-filled vessels and a head, made from a label map.

Everything is expressed in Hounsfield-like units over water (contrast: 0 is no contrast; head:
0 is water, -1000 air) on the gantry's grid: its axes are those of the C-arm (i across, j along
the rotation axis, k along the beam at angle 0), its middle is the isocenter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial.transform import Rotation

from gsema_core.grids import Geometry, Volume
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL
from gsema_core.simulation.centers import Protocol
from gsema_core.simulation.scanner.bones import draw_bones
from gsema_core.simulation.scanner.head import Ellipsoid, draw_head, smooth_bones
from gsema_core.simulation.smooth_fields import smooth_field

Floats = npt.NDArray[np.float32]

GANTRY_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Columns: the gantry's axes in LPS. The C-arm turns around the patient's long axis (S)."""

WALL_BLUR_MM = 0.25
"""Partial volume of the lumen's edge; about the voxel of the label maps at hand (ours)."""

FILLING_BLUR_MM = 0.4
"""How far an explicit filling is carried beyond the lumen's voxels: further than `WALL_BLUR_MM`
carries the lumen itself (ours)."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The contrast agent and the head on one gantry grid.

    Args:
        geometry: the gantry's grid in the patient (LPS).
        contrast: (k, j, i) enhancement in HU, zero outside the vessels.
        texture: (k, j, i) what the head holds beyond its ellipsoids, in HU.
        head: the head's ellipsoids.
        metal: (k, j, i) clips and coils, in HU over what is around them, or None. They are in a
            mask run too.
    """

    geometry: Geometry
    contrast: Floats
    texture: Floats
    head: tuple[Ellipsoid, ...]
    metal: Floats | None = None

    @property
    def still(self) -> Floats:
        """(k, j, i) what is there with and without contrast agent, in HU: bone and metal."""
        return self.texture if self.metal is None else self.texture + self.metal


def gantry_geometry(geometry: Geometry, spacing_mm: float, rotation: Rotation) -> Geometry:
    """Return a grid along the gantry's axes over the same extent and around the same middle.

    Args:
        geometry: the grid of the label map.
        spacing_mm: isotropic spacing of the new grid.
        rotation: turns the gantry in the patient (an oblique head).
    """
    axes = rotation.as_matrix() @ GANTRY_AXES
    extent = np.array(geometry.size) * geometry.spacing
    # The axes of the label map that are nearest to the gantry's give the extents.
    along = np.abs(GANTRY_AXES.T @ geometry.direction_matrix).argmax(axis=1)
    size = np.maximum(1, np.round(extent[along] / spacing_mm)).astype(int)
    origin = np.array(geometry.center) - axes @ ((size - 1) / 2 * spacing_mm)
    return Geometry(tuple(size), (spacing_mm,) * 3, tuple(origin), tuple(axes.ravel()))


def labels_on(labels: Volume, geometry: Geometry) -> Volume:
    """Bring a label map onto a grid: linear per class, then the largest.

    Thin vessels survive this better than nearest neighbor, and no new values appear.
    """
    vessel = _sample(labels, VESSEL, geometry)
    aneurysm = _sample(labels, ANEURYSM, geometry)
    lumen = vessel + aneurysm >= 0.5
    kind = np.where(aneurysm >= vessel, ANEURYSM, VESSEL)
    return Volume(np.where(lumen, kind, BACKGROUND).astype(np.uint8), geometry)


def build_scene(
    labels: Volume,
    geometry: Geometry,
    protocol: Protocol,
    rng: np.random.Generator,
    filling: Volume | None = None,
    metal: Volume | None = None,
) -> Scene:
    """Fill the vessels with contrast and put a head around them.

    Args:
        labels: the label map.
        geometry: the gantry's grid.
        protocol: contrast and bone of the center.
        rng: draws the injection's side, the mixing and the head.
        filling: relative contrast at the lumen's voxels on the labels' grid, for instance of an
            injection along a whole tree; without it, contrast falls with the distance from the
            widest vessel at a face.
        metal: HU of clips and coils, 0 elsewhere, on any grid. A titanium clip has about 16,000, a
            sac packed with platinum coils 80,000 (NIST XCOM at 60 keV, a quarter of it metal).
    """
    sac = _sample(labels, ANEURYSM, geometry)
    lumen = _sample(labels, VESSEL, geometry) + sac
    sigma = WALL_BLUR_MM / geometry.spacing[0]
    lumen = ndimage.gaussian_filter(lumen, sigma)
    if filling is None:
        concentration = _concentration(lumen > 0.5, sac > 0.5, geometry, protocol, rng)
    else:
        concentration = _mixed(_spread(filling, labels, geometry), geometry, protocol, rng)
    contrast = (protocol.contrast_hu * lumen * concentration).astype(np.float32)
    head = draw_head(protocol, rng)
    if protocol.subtracted and not protocol.mask_turn_deg:
        # What cancels need not be projected; a few smooth bones leave the motion's residue.
        head += smooth_bones(geometry, protocol, rng)
        texture = np.zeros(geometry.shape, np.float32)
    else:
        texture = draw_bones(lumen > 0.3, geometry, protocol, rng)
    solid = None if metal is None else resample(metal.array, metal.geometry, geometry)
    return Scene(geometry, contrast, texture, head, solid)


def resample(array: Floats, source: Geometry, target: Geometry) -> Floats:
    """Linear interpolation onto another grid; zero outside."""
    resampled = sitk.Resample(
        Volume(array, source).to_image(), target.size, sitk.Transform(), sitk.sitkLinear,
        target.origin, target.spacing, target.direction, 0.0, sitk.sitkFloat32,
    )  # fmt: skip
    return np.asarray(sitk.GetArrayFromImage(resampled))


def _sample(labels: Volume, value: int, geometry: Geometry) -> Floats:
    return resample((labels.array == value).astype(np.float32), labels.geometry, geometry)


def _concentration(
    lumen: npt.NDArray[np.bool_],
    sac: npt.NDArray[np.bool_],
    geometry: Geometry,
    protocol: Protocol,
    rng: np.random.Generator,
) -> Floats:
    """Relative contrast: 1 at the injection, falling with distance, slowly varying by mixing.

    The injection is the widest vessel near a face of the volume, where a feeding artery enters,
    and never a sac, which would then be brighter than all arteries. Distance is Euclidean:
    cheaper than along the tree and as smooth.
    """
    if not lumen.any():
        return np.ones(geometry.shape, np.float32)
    radius = np.where(sac, 0.0, ndimage.distance_transform_edt(lumen))
    shell = np.ones(geometry.shape, bool)
    margin = [max(1, n // 10) for n in geometry.shape]
    shell[tuple(slice(m, n - m) for m, n in zip(margin, geometry.shape, strict=True))] = False
    near_face = np.where(shell, radius, 0.0)
    inlet = np.unravel_index(int((near_face if near_face.any() else radius).argmax()), lumen.shape)
    axes = np.ogrid[tuple(slice(n) for n in geometry.shape)]
    squared = sum((axis - start) ** 2 for axis, start in zip(axes, inlet, strict=True))
    distance = np.sqrt(squared) * geometry.spacing[0]
    return _mixed(np.exp(-distance / protocol.contrast_fade_mm), geometry, protocol, rng)


def _mixed(
    concentration: npt.NDArray[Any],
    geometry: Geometry,
    protocol: Protocol,
    rng: np.random.Generator,
) -> Floats:
    """The concentration with slow variations by imperfect mixing."""
    mixing = smooth_field(geometry.shape, 6.0 / geometry.spacing[0], rng)
    concentration = concentration * np.exp(protocol.contrast_mixing * np.clip(mixing, -2.0, 2.0))
    return np.asarray(concentration, dtype=np.float32)


def _spread(filling: Volume, labels: Volume, geometry: Geometry) -> Floats:
    """The filling on another grid, carried a little beyond the wall, where the lumen is blurred.

    The mean over the lumen's voxels near by, so that background does not dilute it.
    """
    lumen = (labels.array > 0).astype(np.float32)
    sigma = FILLING_BLUR_MM / labels.geometry.spacing[0]
    parts = (ndimage.gaussian_filter(part, sigma, truncate=2.5)
             for part in (filling.array * lumen, lumen))  # fmt: skip
    total, weight = (resample(part, labels.geometry, geometry) for part in parts)
    return np.asarray(total / np.maximum(weight, 1e-3), np.float32)
