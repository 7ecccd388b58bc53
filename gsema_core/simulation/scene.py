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

Floats = npt.NDArray[np.float32]

GANTRY_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Columns: the gantry's axes in LPS. The C-arm turns around the patient's long axis (S)."""

WATER_PER_MM = 0.0206
"""Linear attenuation of water at 60 keV, near the mean energy of a 100 kVp beam (NIST XCOM)."""

PER_HU = WATER_PER_MM / 1000.0

WALL_BLUR_MM = 0.25
"""Partial volume of the lumen's edge; about the voxel of the label maps at hand (ours)."""

FILLING_BLUR_MM = 0.4
"""How far an explicit filling is carried beyond the lumen's voxels: further than `WALL_BLUR_MM`
carries the lumen itself (ours)."""


@dataclass(frozen=True)
class Ellipsoid:
    """A homogeneous ellipsoid aligned with the gantry; densities add up where several overlap.

    Args:
        center: (i, j, k) position in mm in the gantry's axes, from the isocenter.
        semi_axes: (i, j, k) in mm.
        density_hu: what it adds, in HU (water over air is 1000).
    """

    center: tuple[float, ...]
    semi_axes: tuple[float, ...]
    density_hu: float


@dataclass(frozen=True, eq=False)
class Scene:
    """The contrast agent and the head on one gantry grid.

    Args:
        geometry: the gantry's grid in the patient (LPS).
        contrast: (k, j, i) enhancement in HU, zero outside the vessels.
        texture: (k, j, i) what the head holds beyond its ellipsoids, in HU.
        head: the head's ellipsoids.
    """

    geometry: Geometry
    contrast: Floats
    texture: Floats
    head: tuple[Ellipsoid, ...]


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
    head = _head(protocol, rng)
    if protocol.subtracted:
        # What cancels need not be projected; a few smooth bones leave the motion's residue.
        head += _bones(geometry, protocol, rng)
        texture = np.zeros(geometry.shape, np.float32)
    else:
        texture = _skull_base(lumen > 0.3, geometry, protocol, rng)
    return Scene(geometry, contrast, texture, head)


def resample(array: Floats, source: Geometry, target: Geometry) -> Floats:
    """Linear interpolation onto another grid; zero outside."""
    resampled = sitk.Resample(
        Volume(array, source).to_image(), target.size, sitk.Transform(), sitk.sitkLinear,
        target.origin, target.spacing, target.direction, 0.0, sitk.sitkFloat32,
    )  # fmt: skip
    return np.asarray(sitk.GetArrayFromImage(resampled))


def smooth_field(
    shape: tuple[int, int, int], sigma_voxels: float, rng: np.random.Generator
) -> Floats:
    """Return a smooth Gaussian random field of mean 0 and standard deviation 1."""
    # Drawn coarse and magnified: a wide filter on the full grid costs seconds.
    step = max(1, int(sigma_voxels // 2))
    coarse_shape = [n // step + 4 for n in shape]
    coarse = ndimage.gaussian_filter(
        rng.standard_normal(coarse_shape), sigma_voxels / step, mode="wrap"
    )
    coarse = (coarse - coarse.mean()) / coarse.std()
    fine = ndimage.zoom(coarse.astype(np.float32), step, order=1) if step > 1 else coarse
    return np.asarray(fine[: shape[0], : shape[1], : shape[2]], dtype=np.float32)


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


def _head(protocol: Protocol, rng: np.random.Generator) -> tuple[Ellipsoid, ...]:
    """Scalp, skull and brain of an adult head, off-center, much wider than the field of view."""
    center = tuple(rng.uniform([-12, 5, -10], [12, 25, 10]).tolist())
    # Adult head: about 150 x 190 mm wide, skull 6 to 8 mm thick.
    inner = rng.uniform([64, 78, 80], [72, 90, 94])
    thickness = rng.uniform(5.0, 8.0)
    outer, skin = inner + thickness, inner + thickness + rng.uniform(4.0, 7.0)
    skull = protocol.bone_hu
    return (
        Ellipsoid(center, tuple(skin.tolist()), 1040.0),
        Ellipsoid(center, tuple(outer.tolist()), skull),
        Ellipsoid(center, tuple(inner.tolist()), -skull),
    )


def _bones(
    geometry: Geometry, protocol: Protocol, rng: np.random.Generator
) -> tuple[Ellipsoid, ...]:
    """Petrous bones, clivus and sphenoid as ellipsoids below and around the field of view."""
    half = np.array(geometry.size) * geometry.spacing / 2
    bones = []
    for _ in range(int(rng.integers(5, 9))):
        place = tuple((rng.uniform([-1.3, -1.4, -1.3], [1.3, -0.6, 1.3]) * half).tolist())
        semi_axes = tuple(rng.uniform(4.0, 11.0, size=3).tolist())
        bones.append(Ellipsoid(place, semi_axes, 0.8 * protocol.bone_hu))
    return tuple(bones)


def _skull_base(
    lumen: npt.NDArray[np.bool_],
    geometry: Geometry,
    protocol: Protocol,
    rng: np.random.Generator,
) -> Floats:
    """Irregular bone with cells of air in the lower part, and faint structure of the brain."""
    spacing = geometry.spacing[0]
    shape = geometry.shape
    brain = 12.0 * smooth_field(shape, 5.0 / spacing, rng)
    height = np.linspace(-1.0, 1.0, shape[1], dtype=np.float32)[None, :, None]
    lumps = smooth_field(shape, 3.5 / spacing, rng) - 1.6 - 2.2 * height
    bone = np.clip(lumps / 0.4, 0.0, 1.0) * (
        1.0 + 0.25 * np.clip(smooth_field(shape, 0.8 / spacing, rng), -2, 2)
    )
    air = np.clip((smooth_field(shape, 3.0 / spacing, rng) - 1.5) / 0.3, 0.0, 1.0)
    air *= np.clip((lumps + 0.8) / 0.4, 0.0, 1.0)
    # Arteries run beside bone, not through it, but for a short course: clear a margin of 1 mm.
    distance = ndimage.distance_transform_edt(~lumen) * spacing
    clear = np.clip((distance - 0.6) / 0.8, 0.0, 1.0)
    return np.asarray((brain + clear * (bone * protocol.bone_hu - air * 1000.0)), dtype=np.float32)
