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
from gsema_core.simulation.scanner.beam import PER_HU, hardened, water_corrected
from gsema_core.simulation.scanner.gains import draw_gains
from gsema_core.simulation.scanner.head import Ellipsoid
from gsema_core.simulation.scanner.motion import Poses, draw_mask_offset, draw_motion, still
from gsema_core.simulation.scene import Floats, Scene

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
    run = _Run(protocol, geometry, rng)
    if not protocol.subtracted:
        lines = run.detect(*run.project(scene, scene.contrast + scene.still), rng)
    elif protocol.mask_turn_deg or scene.metal is not None:
        filled = run.detect(*run.project(scene, scene.contrast + scene.still), rng)
        run.start_mask_run(rng)
        lines = filled - run.detect(*run.project(scene, scene.still), rng)
    else:
        head, water = run.project(scene)
        filled_lines = head + run.project_voxels(scene.contrast, scene.geometry.spacing[0])
        filled = run.detect(filled_lines, water, rng)
        lines = filled - run.detect(run.shift(head, rng), water, rng)
    attenuation = run.backproject(lines)
    offset = 0.0 if protocol.subtracted else 1000.0
    return np.asarray(attenuation / PER_HU - offset, dtype=np.float32)


class _Run:
    """One rotation of the C-arm around a grid's middle; projections are (view, v, u)."""

    def __init__(self, protocol: Protocol, geometry: Geometry, rng: np.random.Generator) -> None:
        self._protocol = protocol
        self._grid = geometry
        self._circle = RTK.ThreeDCircularProjectionGeometry.New()
        for angle in np.linspace(0.0, protocol.arc_deg, protocol.views):
            self._circle.AddProjection(
                protocol.source_isocenter_mm, protocol.source_detector_mm, float(angle)
            )
        self._shape = (protocol.views, *_detector_shape(protocol, geometry))
        # The way the views were taken; the reconstruction knows of the circle only.
        motion = draw_motion(protocol, rng)
        self._taken = self._circle if motion is None else _moved(self._circle, motion)
        self._gains = draw_gains(protocol, self._shape[1:], rng)

    def start_mask_run(self, rng: np.random.Generator) -> None:
        """Take what follows with the head elsewhere, and moving in another way."""
        motion = draw_motion(self._protocol, rng) or still(self._protocol.views)
        offset = draw_mask_offset(self._protocol, rng)
        self._taken = _moved(self._circle, motion.after(*offset))

    def project(self, scene: Scene, voxels: Floats | None = None) -> tuple[Floats, Floats]:
        """Line integrals through the head, with voxels in HU; and those of its water alone."""
        parts = [self.project_ellipsoid(ellipsoid) for ellipsoid in scene.head]
        lines = reduce(np.add, parts)
        if voxels is not None:
            lines = lines + self.project_voxels(voxels, scene.geometry.spacing[0])
        return lines, parts[0]

    def project_ellipsoid(self, ellipsoid: Ellipsoid) -> Floats:
        """Line integrals through one ellipsoid."""
        project = RTK.RayEllipsoidIntersectionImageFilter[IMAGE, IMAGE].New(
            self._projections(np.zeros(self._shape)),
            Geometry=self._taken,
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
            Geometry=self._taken,
        )
        return _run(project)

    def detect(self, lines: Floats, water: Floats, rng: np.random.Generator) -> Floats:
        """What the detector makes of line integrals: blur, scatter, photon noise, uneven gains.

        ``water`` is the part of them that beam hardening is corrected for.
        """
        protocol = self._protocol
        if protocol.hardening:
            lines = hardened(lines, water, protocol.hardening)
        blur = protocol.detector_blur_mm / protocol.detector_pixel_mm
        signal = protocol.photons * np.exp(-lines)
        signal = ndimage.gaussian_filter(signal, (0.0, blur, blur))
        signal += protocol.scatter * signal.mean(axis=(1, 2), keepdims=True)
        counts = rng.poisson(signal).astype(np.float32)
        read = np.asarray(np.log(protocol.photons / np.maximum(counts, 1.0)), dtype=np.float32)
        if protocol.hardening:
            read = water_corrected(read, protocol.hardening)
        return read if self._gains is None else read + self._gains

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


def _moved(circle: Any, poses: Poses) -> Any:
    """The geometry of a C-arm in axes that move with the head."""
    views = range(len(poses.shifts_mm))
    matrices = np.stack(
        [itk.array_from_matrix(circle.GetProjectionCoordinatesToFixedSystemMatrix(view))
         for view in views]
    )  # fmt: skip
    sources = np.array([[circle.GetSourcePosition(view)[axis] for axis in range(3)]
                        for view in views])  # fmt: skip
    places = poses.seen_from(sources), poses.seen_from(matrices[:, :3, 3])
    directions = poses.along(matrices[:, :3, 0]), poses.along(matrices[:, :3, 1])
    moved = RTK.ThreeDCircularProjectionGeometry.New()
    for source, detector, row, column in zip(*places, *directions, strict=True):
        moved.AddProjection(
            *(itk.Point[itk.D, 3](list(map(float, place))) for place in (source, detector)),
            *(itk.Vector[itk.D, 3](list(map(float, way))) for way in (row, column)),
        )
    return moved


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
