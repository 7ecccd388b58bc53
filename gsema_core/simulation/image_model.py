"""The light model: a reconstruction imitated in the image, where itk-rtk is not installed.

The scene is blurred by the resolution that the run and the kernel would give, covered with noise of
the variance that the dose would give, and shaded as a truncated reconstruction is. Motion doubles
and blurs it, bone moves between mask and contrast run, and dense things leave bands and streaks,
each plane for itself (`parallel_planes`). It has no cone-beam artefacts, no streaks of motion or of
what lies outside the volume: good for demonstrations and tests, second choice for training.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.simulation.centers import Protocol
from gsema_core.simulation.scanner.beam import HEAD_MM, PER_HU, WATER_PER_MM
from gsema_core.simulation.scanner.head import Ellipsoid
from gsema_core.simulation.scanner.motion import blurred_by, draw_mask_offset, draw_motion, moved
from gsema_core.simulation.scanner.parallel_planes import dense_errors, ring_errors
from gsema_core.simulation.scene import Floats, Scene, resample
from gsema_core.simulation.smooth_fields import smooth_field

CUP_HU = 850.0
"""Brightening of a truncated head, halfway to the rim, without truncation correction.

Fitted, like `CUP_FALL`, to the means of the cone-beam model at centers A and C.
"""

CUP_FALL = 2.6
"""How fast the brightening falls with the share of the detector that is extrapolated."""


def reconstruct(
    scene: Scene, geometry: Geometry, protocol: Protocol, rng: np.random.Generator
) -> Floats:
    """Imitate an acquisition and reconstruction; arguments and result of ``cone_beam``'s.

    ``rng`` draws noise and shading.
    """
    spacing = scene.geometry.spacing[0]
    motion = draw_motion(protocol, rng)
    density = scene.contrast
    if not protocol.subtracted:
        density = density + scene.still + _draw(scene.head, scene.geometry) - 1000.0
        density = blurred_by(density, spacing, motion)
    elif protocol.mask_turn_deg or scene.metal is not None:
        there = scene.still + _draw(scene.head, scene.geometry)
        mask = moved(there, spacing, *draw_mask_offset(protocol, rng))
        density = blurred_by(density + there, spacing, motion) - mask
    else:
        density = blurred_by(density, spacing, motion)
    blurred = ndimage.gaussian_filter(density, resolution_mm(protocol) / spacing)
    image = resample(blurred, scene.geometry, geometry)
    image *= 1.0 - protocol.scatter / (1.0 + protocol.scatter)  # scatter takes contrast away
    if not protocol.subtracted:
        image += _shading(geometry, protocol, rng)
    if protocol.hardening or scene.metal is not None:
        image += _streaks(scene, geometry, protocol, rng)
    if protocol.ring_gain and not protocol.subtracted:  # the same detector took the mask run
        image += ring_errors(geometry, protocol, rng)
    return image + _noise(geometry, protocol, rng)


def resolution_mm(protocol: Protocol) -> float:
    """Standard deviation in mm of the point spread of a filtered backprojection.

    Variances add: pixel (p^2 / 12), linear interpolation between pixels (p^2 / 6), the
    detector's blur, and the Hann window (p^2 / (2 cut^2), its curvature at frequency 0), p being
    the pixel seen at the isocenter.
    """
    pixel = protocol.detector_pixel_mm / protocol.magnification
    blur = protocol.detector_blur_mm / protocol.magnification
    variance = pixel**2 * (1 / 12 + 1 / 6 + 0.5 / protocol.hann_cut**2) + blur**2
    return float(np.sqrt(variance))


def noise_hu(protocol: Protocol) -> float:
    """Standard deviation in HU of photon noise in the middle of the head.

    For M views, pixel p at the isocenter and variance v of a line integral, filtered
    backprojection without a window gives v pi^2 / (12 M p^2) (Kak and Slaney, 1988, chapter 5);
    the Hann window along and across the detector takes its share. v is one over the photons that
    come through, and twice that after subtraction.
    """
    pixel = protocol.detector_pixel_mm / protocol.magnification
    through = protocol.photons * np.exp(-WATER_PER_MM * HEAD_MM)
    variance = (2.0 if protocol.subtracted else 1.0) / through
    variance *= np.pi**2 / (12 * protocol.views * pixel**2)
    frequency = np.linspace(0.0, 1.0, 512)
    window = 0.5 * (1.0 + np.cos(np.pi * np.minimum(frequency / protocol.hann_cut, 1.0)))
    variance *= 3.0 * np.mean(frequency**2 * window**2) * np.mean(window**2)
    return float(np.sqrt(variance) / PER_HU)


def _noise(geometry: Geometry, protocol: Protocol, rng: np.random.Generator) -> Floats:
    pixel = protocol.detector_pixel_mm / protocol.magnification
    grain = 0.5 * pixel / protocol.hann_cut / geometry.spacing[0]
    field = ndimage.gaussian_filter(rng.standard_normal(geometry.shape, np.float32), grain)
    return np.asarray(field * (noise_hu(protocol) / field.std()), dtype=np.float32)


def _streaks(
    scene: Scene, geometry: Geometry, protocol: Protocol, rng: np.random.Generator
) -> Floats:
    """Bands and streaks of contrast, bone and metal, on the stored grid."""
    spacing = scene.geometry.spacing[0]
    errors, step = dense_errors(scene.contrast + scene.still, spacing, protocol, rng)
    if protocol.subtracted and scene.still.any():
        errors = errors - dense_errors(scene.still, spacing, protocol, rng)[0]
    half = (np.array(errors.shape[::-1]) - 1) / 2 * step
    origin = np.array(geometry.center) - geometry.direction_matrix @ half
    coarse = Geometry(errors.shape[::-1], (step,) * 3, tuple(origin), geometry.direction)
    return resample(errors, coarse, geometry)


def _shading(geometry: Geometry, protocol: Protocol, rng: np.random.Generator) -> Floats:
    """Brightening of a truncated head, stronger away from the rotation axis, and slow drifts."""
    strength = CUP_HU * max(0.0, 1.0 - CUP_FALL * protocol.truncation_correction)
    half = np.linspace(-1.0, 1.0, geometry.shape[0])[:, None, None]
    across = np.linspace(-1.0, 1.0, geometry.shape[2])[None, None, :]
    cup = strength * (1.0 + half**2 + across**2) / 4.0
    drift = 0.05 * strength * smooth_field(geometry.shape, 15.0 / geometry.spacing[0], rng)
    return np.asarray(cup + drift, dtype=np.float32)


def _draw(ellipsoids: tuple[Ellipsoid, ...], geometry: Geometry) -> Floats:
    """Sum of the ellipsoids' densities at the voxels of a gantry grid."""
    k, j, i = (
        (np.arange(n, dtype=np.float32) - (n - 1) / 2) * spacing
        for n, spacing in zip(geometry.shape, geometry.spacing[::-1], strict=True)
    )
    total = np.zeros(geometry.shape, np.float32)
    for ellipsoid in ellipsoids:
        (x, y, z), (a, b, c) = ellipsoid.center, ellipsoid.semi_axes
        level = (
            ((k - z) / c)[:, None, None] ** 2
            + ((j - y) / b)[None, :, None] ** 2
            + ((i - x) / a)[None, None, :] ** 2
        )
        total += np.float32(ellipsoid.density_hu) * (level <= 1.0)
    return total
