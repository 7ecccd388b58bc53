"""Images that are no rotational angiography: noise, other modalities, other runs, pictures.

``KINDS`` names functions that make one from a label map of arteries and a random generator. Signals
are typical ones (CT in HU; MR as shares of the brightest tissue); shapes of heads are ellipsoids
with random tissue in them. Ours, and no more than a likeness.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from gsema_core.grids import Geometry, Volume
from gsema_core.simulation.acquisition import acquire
from gsema_core.simulation.centers import CENTERS, Protocol
from gsema_core.simulation.smooth_fields import smooth_field

Array = npt.NDArray[Any]
Kind = Callable[[Volume, np.random.Generator], Volume]

NOISE_VOXELS = 160
"""Along each axis, of 0.4 mm: as large as the simulated scans."""


def volume_of(array: Array, spacing: tuple[float, float, float] = (0.4, 0.4, 0.4)) -> Volume:
    """A volume with its first voxel at the origin."""
    size = tuple(reversed(array.shape))
    return Volume(np.ascontiguousarray(array), Geometry(size, spacing, (0.0, 0.0, 0.0)))


# --- Noise ---


def noise(name: str, rng: np.random.Generator, voxels: int = NOISE_VOXELS) -> Array:
    """(k, j, i) of the noise with this name, one of ``NOISES``."""
    return NOISES[name]((voxels,) * 3, rng)


def _normal(shape: tuple[int, int, int], rng: np.random.Generator) -> Array:
    return rng.standard_normal(shape, np.float32)


def _sparse(shape: tuple[int, int, int], rng: np.random.Generator, share: float) -> Array:
    return (rng.random(shape, np.float32) < share).astype(np.float32)


def _ramp(shape: tuple[int, int, int]) -> Array:
    return np.linspace(0, 1, shape[0], dtype=np.float32)[:, None, None]


def _power_law(shape: tuple[int, int, int], rng: np.random.Generator) -> Array:
    axes = [np.fft.fftfreq(n) for n in shape[:2]] + [np.fft.rfftfreq(shape[2])]
    frequency = np.sqrt(sum(np.square(axis) for axis in np.meshgrid(*axes, indexing="ij")))
    frequency[0, 0, 0] = 1
    return np.asarray(np.fft.irfftn(np.fft.rfftn(_normal(shape, rng)) / frequency**1.5, shape))


NOISES: dict[str, Callable[[tuple[int, int, int], np.random.Generator], Array]] = {
    "white": _normal,
    "smoothed by 1": lambda n, r: ndimage.gaussian_filter(_normal(n, r), 1),
    "smoothed by 2": lambda n, r: ndimage.gaussian_filter(_normal(n, r), 2),
    "smoothed by 4": lambda n, r: smooth_field(n, 4, r),
    "smoothed by 8": lambda n, r: smooth_field(n, 8, r),
    "smoothed by 16": lambda n, r: smooth_field(n, 16, r),
    "salt and pepper": lambda n, r: 128 * (1 + _sparse(n, r, 0.01) - _sparse(n, r, 0.01)),
    "salt": lambda n, r: 255 * _sparse(n, r, 0.002),
    "salt, smoothed by 2": lambda n, r: ndimage.gaussian_filter(_sparse(n, r, 5e-4), 2),
    "salt, smoothed by 4": lambda n, r: ndimage.gaussian_filter(_sparse(n, r, 1e-4), 4),
    "Poisson of 0.02": lambda n, r: r.poisson(0.02, n).astype(np.uint8),
    "Poisson of 1": lambda n, r: r.poisson(1, n).astype(np.uint8),
    "Poisson of 30": lambda n, r: r.poisson(30, n).astype(np.uint8),
    "with a gradient": lambda n, r: 100 * _normal(n, r) + 1000 * _ramp(n),
    "with a steep gradient": lambda n, r: 30 * _normal(n, r) + 3000 * _ramp(n) ** 3,
    "Poisson with a gradient": lambda n, r: r.poisson(np.broadcast_to(1 + 40 * _ramp(n), n)),
    "Rician": lambda n, r: np.hypot(_normal(n, r), _normal(n, r)),
    "uniform": lambda n, r: r.random(n, np.float32),
    "exponential": lambda n, r: r.exponential(1, n).astype(np.float32),
    "log-normal": lambda n, r: np.exp(1.5 * _normal(n, r)),
    "log-normal, smooth": lambda n, r: np.exp(2 * smooth_field(n, 3, r)),
    "Cauchy": lambda n, r: np.clip(r.standard_cauchy(n), -1e4, 1e4).astype(np.float32),
    "Laplace": lambda n, r: r.laplace(size=n).astype(np.float32),
    "of a power law": _power_law,
    "of two levels": lambda n, r: 500 * (smooth_field(n, 4, r) > 0) + 20 * _normal(n, r),
}


# --- Other runs of the same scanner ---


def without_contrast(center: str, labels: Volume, rng: np.random.Generator) -> Volume:
    """A mask run: blood only (40 HU), or after subtraction nothing."""
    protocol = CENTERS[center]
    bare = replace(protocol, contrast_hu=0.0 if protocol.subtracted else 40.0)
    return _imaged(labels, bare, rng)


def inverted(center: str, labels: Volume, rng: np.random.Generator) -> Volume:
    """A scan with dark vessels, as a reader leaves it that overlooks MONOCHROME1."""
    scan = _imaged(labels, CENTERS[center], rng)
    values = scan.array.astype(np.float32)
    return Volume(values.max() + values.min() - values, scan.geometry)


def in_other_unit(factor: float, labels: Volume, rng: np.random.Generator) -> Volume:
    """A scan whose voxel sizes are not in mm."""
    scan = _imaged(labels, CENTERS["A"], rng)
    spacing = tuple(factor * mm for mm in scan.geometry.spacing)
    return Volume(scan.array, replace(scan.geometry, spacing=spacing))


def projections(look: str, labels: Volume, rng: np.random.Generator) -> Volume:
    """The views of a run (parallel beams, 110 over 200 degrees), stacked as if they were slices."""
    lumen = (labels.array[::2, ::2, ::2] > 0).astype(np.float32)
    turned = (
        ndimage.rotate(lumen, angle, axes=(1, 2), reshape=False, order=1)
        for angle in np.linspace(0, 200, 110)
    )
    mm = 2 * labels.geometry.spacing[0]
    through = np.stack([mm * one.sum(axis=1) for one in turned])
    lines = 0.05 * ndimage.zoom(through, (1, 2, 2), order=1)
    if look != "subtracted":
        lines += 3.4 + 0.3 * _unit(ndimage.gaussian_filter(_normal(lines.shape, rng), (6, 12, 12)))
    lines += 0.02 * _normal(lines.shape, rng)
    values = 4000 * np.exp(-lines) if look == "raw" else 1000 * lines
    return volume_of(np.rint(values).astype(np.int16), (0.4, 0.4, 1.0))


def movie(center: str, labels: Volume, rng: np.random.Generator) -> Volume:
    """Maximum intensity projections of a scan that turns."""
    coarse = _imaged(labels, CENTERS[center], rng).array[::2, ::2, ::2].astype(np.float32)
    turned = (
        ndimage.rotate(coarse, angle, axes=(0, 2), reshape=False, order=1, mode="nearest")
        for angle in np.linspace(0, 180, 60)
    )
    return volume_of(np.stack([one.max(axis=0) for one in turned]), (0.6, 0.6, 1.0))


def _imaged(labels: Volume, protocol: Protocol, rng: np.random.Generator) -> Volume:
    return acquire(labels, protocol, int(rng.integers(2**31)), "light")[0]


def _unit(array: Array) -> Array:
    return np.asarray(array / array.std())


# --- Other modalities ---

TISSUES = ("brain", "white", "fluid", "skull", "scalp", "base", "cells")
CT = {"air": -1000, "brain": 37, "white": 28, "fluid": 8, "skull": 1100, "scalp": 0, "base": 800}
CT["cells"] = -900
TOF = {"air": 0, "brain": 0.27, "white": 0.23, "fluid": 0.1, "skull": 0.05, "scalp": 0.4}
TOF |= {"base": 0.1, "cells": 0}
T1 = {"air": 0, "brain": 0.65, "white": 1, "fluid": 0.2, "skull": 0.1, "scalp": 1.5, "base": 0.4}
T1["cells"] = 0


def computed_tomography(
    labels: Volume,
    rng: np.random.Generator,
    whole: bool = True,
    contrast_hu: float = 0.0,
    window: tuple[float, float] | None = None,
) -> Volume:
    """A CT of 0.5 x 0.5 x 1 mm, in HU or in the 256 grays of a window; whole or cropped."""
    spacing = (0.5, 0.5, 1.0)
    geometry, masks, lumen = _head(labels, spacing, rng, whole)
    values = _painted(masks, CT) + lumen * (12 + contrast_hu)
    values = ndimage.gaussian_filter(values, 0.7)
    values += 6 * _unit(ndimage.gaussian_filter(_normal(values.shape, rng), 0.7))
    if window:
        low, high = window
        values = 255 * np.clip((values - low) / (high - low), 0, 1)
    return Volume(np.rint(values).astype(np.int16), geometry)


def time_of_flight(labels: Volume, rng: np.random.Generator, whole: bool = True) -> Volume:
    """An MR angiography of a slab: bright vessels that fade away from its middle."""
    geometry, masks, lumen = _head(labels, (0.5, 0.5, 0.6), rng, whole)
    k = np.arange(geometry.shape[0], dtype=np.float32) - geometry.shape[0] / 2
    inflow = np.exp(-np.abs(k) * geometry.spacing[2] / 90)[:, None, None]
    values = _painted(masks, TOF) * (1 - lumen) + 0.95 * inflow * lumen
    return Volume(_magnetic(values, 0.02, rng), geometry)


def weighted_by_t1(labels: Volume, rng: np.random.Generator, whole: bool = True) -> Volume:
    """A T1-weighted MR image of 1 mm; blood is dark."""
    geometry, masks, lumen = _head(labels, (1.0, 1.0, 1.0), rng, whole)
    return Volume(_magnetic(_painted(masks, T1) * (1 - 0.7 * lumen), 0.03, rng), geometry)


def _magnetic(values: Array, noise: float, rng: np.random.Generator) -> Array:
    """Blurred, shaded by the coil, with Rician noise."""
    values = ndimage.gaussian_filter(values, 0.5) * (1 + 0.15 * smooth_field(values.shape, 40, rng))
    real = values + noise * _normal(values.shape, rng)
    return np.rint(800 * np.hypot(real, noise * _normal(values.shape, rng))).astype(np.int16)


def _painted(masks: Mapping[str, Array], signals: Mapping[str, float]) -> Array:
    values = np.full(masks["brain"].shape, signals["air"], np.float32)
    for tissue in TISSUES:
        values[masks[tissue]] = signals[tissue]
    return values


def _head(
    labels: Volume, spacing: tuple[float, float, float], rng: np.random.Generator, whole: bool
) -> tuple[Geometry, dict[str, Array], Array]:
    """Masks of tissues, and the share of vessel, over a head or only over the labels' box."""
    box = np.array(labels.geometry.size) * labels.geometry.spacing
    size_mm = np.array([170.0, 205.0, max(box[2], 90.0)]) if whole else box
    size = tuple(int(n) for n in np.maximum(1, np.round(size_mm / spacing)))
    origin = np.array(labels.geometry.center) - (np.array(size) - 1) / 2 * spacing
    geometry = Geometry(size, spacing, tuple(origin))
    lumen = sitk.SmoothingRecursiveGaussian(
        Volume((labels.array > 0).astype(np.float32), labels.geometry).to_image(), 0.35
    )
    lumen = sitk.GetArrayFromImage(
        sitk.Resample(lumen, geometry.size, sitk.Transform(), sitk.sitkLinear, geometry.origin,
                      geometry.spacing, geometry.direction, 0.0, sitk.sitkFloat32)
    )  # fmt: skip
    return geometry, _tissues(geometry, lumen, rng), lumen


def _tissues(geometry: Geometry, lumen: Array, rng: np.random.Generator) -> dict[str, Array]:
    k, j, i = (
        ((np.arange(n) - (n - 1) / 2) * mm).astype(np.float32)
        for n, mm in zip(geometry.shape, geometry.spacing[::-1], strict=True)
    )
    mm, shape = float(np.mean(geometry.spacing)), geometry.shape
    radius = np.sqrt(
        (i[None, None] / 70) ** 2 + (j[None, :, None] / 88) ** 2 + (k[:, None, None] / 80) ** 2
    ) + 0.02 * smooth_field(shape, 12 / mm, rng)
    folds, grains = smooth_field(shape, 3 / mm, rng), smooth_field(shape, 2 / mm, rng)
    height = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None, None]
    brain = radius < 0.88
    bone = smooth_field(shape, 4 / mm, rng) - 1.0 + 1.8 * height
    base = (bone > 0) & brain & (lumen < 0.02) & (height < 0)
    fluid = brain & ((np.abs(folds) < 0.12) | (radius > 0.85))
    return {
        "brain": brain,
        "white": brain & (folds > 0.35) & ~fluid,
        "fluid": fluid,
        "skull": (radius >= 0.88) & (radius < 0.96),
        "scalp": (radius >= 0.96) & (radius < 1.04),
        "base": base,
        "cells": base & (grains > 0.8),
    }


# --- Pictures ---


def pictures(look: str, labels: Volume, rng: np.random.Generator) -> Volume:
    """A stack of 60 pictures of 80 mm: one photo, sixty of them, or a page of text."""
    shape, count = (200, 200), 60
    if look == "photos":
        stack = np.stack([_photo(shape, rng) for _ in range(count)])
    else:
        one = _photo(shape, rng) if look == "photo" else _page(shape, rng)
        stack = np.repeat(one[None], count, axis=0)
    stack = stack + (3 * _normal(stack.shape, rng) if look == "text, noisy" else 0)
    return volume_of(np.clip(stack, 0, 255).astype(np.uint8), (0.4, 0.4, 0.8))


def _photo(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Forty ellipses of any brightness over each other."""
    picture = np.zeros(shape, np.float32)
    j, i = np.ogrid[: shape[0], : shape[1]]
    for _ in range(40):
        (y, x), (b, a) = rng.uniform(0, 200, 2), rng.uniform(5, 60, 2)
        picture[((j - y) / b) ** 2 + ((i - x) / a) ** 2 < 1] = rng.uniform(0, 255)
    return picture + 10 * _unit(ndimage.gaussian_filter(rng.standard_normal(shape), 1))


def _page(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Letters of 6 x 8 dots."""
    page = np.zeros(shape, np.float32)
    for row in range(8, shape[0] - 10, 14):
        for column in range(8, shape[1] - 10, 8):
            if rng.random() < 0.5:
                page[row : row + 8, column : column + 6] = 255 * (rng.random((8, 6)) < 0.45)
    return page


def _noise_kind(name: str) -> Kind:
    return lambda labels, rng: volume_of(noise(name, rng))


KINDS: dict[str, Kind] = {
    **{f"noise, {name}": _noise_kind(name) for name in NOISES},
    **{f"mask run of center {c}": partial(without_contrast, c) for c in CENTERS},
    **{f"inverted scan of center {c}": partial(inverted, c) for c in CENTERS},
    **{
        f"scan in {name}": partial(in_other_unit, factor)
        for name, factor in (("cm", 10.0), ("m", 1000.0), ("micrometers", 0.001))
    },
    **{f"projections, {look}": partial(projections, look) for look in ("raw", "log", "subtracted")},
    **{f"movie of center {c}": partial(movie, c) for c in CENTERS},
    "CT of a head": computed_tomography,
    "CT of a head, bone window": partial(computed_tomography, window=(-200, 1300)),
    "CT of a head, brain window": partial(computed_tomography, window=(-10, 90)),
    "CT angiography of a head": partial(computed_tomography, contrast_hu=350),
    "CT, cropped to 64 mm": partial(computed_tomography, whole=False),
    "MR angiography (TOF) of a head": time_of_flight,
    "MR angiography (TOF), cropped to 64 mm": partial(time_of_flight, whole=False),
    "T1-weighted MR of a head": weighted_by_t1,
    "T1-weighted MR, cropped to 64 mm": partial(weighted_by_t1, whole=False),
    **{look: partial(pictures, look) for look in ("photo", "photos", "text", "text, noisy")},
}
