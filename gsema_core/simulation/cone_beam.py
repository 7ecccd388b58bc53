"""Cone-beam projection and reconstruction with itk-rtk (the optional extra ``simulation``).

Forward projection by Joseph's method for voxels and in closed form for ellipsoids, Poisson
counts, Parker's short-scan weights, and Feldkamp, Davis and Kress's (FDK) reconstruction.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import itk
import numpy as np
import numpy.typing as npt
from itk import RTK
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.simulation.centers import Protocol
from gsema_core.simulation.scanner.head import Ellipsoid
from gsema_core.simulation.scene import PER_HU, Floats, Scene

IMAGE = itk.Image[itk.F, 3]


def reconstruct(
    scene: Scene, geometry: Geometry, protocol: Protocol, rng: np.random.Generator
) -> Floats:
    """Acquire a scene and reconstruct it.

    Args:
        scene: what lies in the beam.
        geometry: grid to reconstruct on: the scene's axes and middle, any spacing.
        protocol: the center's run.
        rng: draws photons, and the head's motion between two runs.

    Returns:
        (k, j, i) Hounsfield-like units: water 0 and air -1000, or, where a mask run was
        subtracted, 0 without contrast.
    """
    run = _Run(protocol, geometry)
    head = reduce(np.add, map(run.project_ellipsoid, scene.head))
    spacing = scene.geometry.spacing[0]
    if protocol.subtracted:
        filled = run.detect(head + run.project_voxels(scene.contrast, spacing), rng)
        lines = filled - run.detect(run.shift(head, rng), rng)
    else:
        lines = run.detect(head + run.project_voxels(scene.contrast + scene.texture, spacing), rng)
    attenuation = run.backproject(lines)
    offset = 0.0 if protocol.subtracted else 1000.0
    return np.asarray(attenuation / PER_HU - offset, dtype=np.float32)


class _Run:
    """One rotation of the C-arm around a grid's middle; projections are (view, v, u)."""

    def __init__(self, protocol: Protocol, geometry: Geometry) -> None:
        self._protocol = protocol
        self._grid = geometry
        self._circle = RTK.ThreeDCircularProjectionGeometry.New()
        for angle in np.linspace(0.0, protocol.arc_deg, protocol.views):
            self._circle.AddProjection(
                protocol.source_isocenter_mm, protocol.source_detector_mm, float(angle)
            )
        self._shape = (protocol.views, *_detector_shape(protocol, geometry))

    def project_ellipsoid(self, ellipsoid: Ellipsoid) -> Floats:
        """Line integrals through one ellipsoid."""
        project = RTK.RayEllipsoidIntersectionImageFilter[IMAGE, IMAGE].New(
            self._projections(np.zeros(self._shape)),
            Geometry=self._circle,
            Density=ellipsoid.density_hu * PER_HU,
            Axis=ellipsoid.semi_axes,
            Center=ellipsoid.center,
        )
        return _run(project)

    def project_voxels(self, array: Floats, spacing_mm: float) -> Floats:
        """Line integrals through voxels in HU, centered on the isocenter."""
        project = RTK.JosephForwardProjectionImageFilter[IMAGE, IMAGE].New(
            self._projections(np.zeros(self._shape)),
            _centered(array * np.float32(PER_HU), (spacing_mm,) * 3),
            Geometry=self._circle,
        )
        return _run(project)

    def detect(self, lines: Floats, rng: np.random.Generator) -> Floats:
        """What the detector makes of line integrals: blur, scatter and photon noise."""
        protocol = self._protocol
        blur = protocol.detector_blur_mm / protocol.detector_pixel_mm
        signal = protocol.photons * np.exp(-lines)
        signal = ndimage.gaussian_filter(signal, (0.0, blur, blur))
        signal += protocol.scatter * signal.mean(axis=(1, 2), keepdims=True)
        counts = rng.poisson(signal).astype(np.float32)
        return np.asarray(np.log(protocol.photons / np.maximum(counts, 1.0)), dtype=np.float32)

    def shift(self, lines: Floats, rng: np.random.Generator) -> Floats:
        """The same head after a small motion, as a shift on the detector."""
        protocol = self._protocol
        length = protocol.mask_shift_mm * protocol.magnification / protocol.detector_pixel_mm
        angle = rng.uniform(0.0, 2.0 * np.pi)
        move = (0.0, length * np.sin(angle), length * np.cos(angle))
        return np.asarray(ndimage.shift(lines, move, order=1, mode="nearest"))

    def backproject(self, lines: Floats) -> Floats:
        """FDK with short-scan weights; attenuation per mm on the grid."""
        weights = RTK.ParkerShortScanImageFilter[IMAGE].New(
            self._projections(lines), Geometry=self._circle, InPlace=False
        )
        empty = _centered(np.zeros(self._grid.shape), self._grid.spacing)
        reconstruction = RTK.FDKConeBeamReconstructionFilter[IMAGE].New(
            empty, weights.GetOutput(), Geometry=self._circle
        )
        ramp = reconstruction.GetRampFilter()
        ramp.SetHannCutFrequency(self._protocol.hann_cut)
        ramp.SetHannCutFrequencyY(self._protocol.hann_cut)
        ramp.SetTruncationCorrection(self._protocol.truncation_correction)
        return _run(reconstruction)

    def _projections(self, array: npt.NDArray[Any]) -> Any:
        pixel = self._protocol.detector_pixel_mm
        return _centered(array, (pixel, pixel, 1.0))


def _detector_shape(protocol: Protocol, geometry: Geometry) -> tuple[int, int]:
    """Rows and columns (v, u) that see the grid, times the protocol's coverage."""
    across, along, deep = np.array(geometry.size) * geometry.spacing / 2
    radius = float(np.hypot(across, deep))
    distance, detector = protocol.source_isocenter_mm, protocol.source_detector_mm
    half_width = detector * radius / np.sqrt(distance**2 - radius**2) * protocol.field_coverage
    half_height = detector * along / (distance - radius)
    width, height = (2 * np.array([half_width, half_height]) / protocol.detector_pixel_mm) + 4
    return int(np.ceil(height)), int(np.ceil(width))


def _centered(array: npt.NDArray[Any], spacing: tuple[float, ...]) -> Any:
    image = itk.image_from_array(np.ascontiguousarray(array, dtype=np.float32))
    image.SetSpacing(list(spacing))
    middle = (np.array(array.shape[::-1]) - 1) / 2
    image.SetOrigin([float(value) for value in -middle * spacing])
    return image


def _run(process: Any) -> Floats:
    process.Update()
    return np.array(itk.array_view_from_image(process.GetOutput()), dtype=np.float32)
