"""The light model's formulas against what it draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.simulation import acquire, image_model
from gsema_core.simulation.centers import CENTERS, Protocol
from gsema_core.simulation.scanner.head import draw_head
from gsema_core.simulation.scanner.storing import enhance_edges
from gsema_core.simulation.scene import Scene


def test_noise_has_the_variance_of_the_dose(sphere, clean):
    """A quarter of the dose doubles the noise, and the image shows what the formula says."""
    protocol = clean(photons=1e5)
    weaker = clean(photons=2.5e4)
    assert image_model.noise_hu(weaker) == pytest.approx(2 * image_model.noise_hu(protocol))
    for each in (protocol, weaker):
        image, _ = acquire(sphere(), each, seed=1, model="light")
        corner = image.array[:8, :8, :8]
        assert corner.std() == pytest.approx(image_model.noise_hu(each), rel=0.15)


def test_smoother_kernel_blurs_more_and_is_less_noisy(quick):
    sharp, smooth = quick(hann_cut=1.0), quick(hann_cut=0.5)
    assert image_model.resolution_mm(smooth) > 1.3 * image_model.resolution_mm(sharp)
    assert image_model.noise_hu(smooth) < image_model.noise_hu(sharp) / 2


def test_edge_has_the_stated_resolution(sphere, clean):
    """A small sphere's peak falls as blur grows."""
    sharp, _ = acquire(sphere(), clean(), seed=1, model="light")
    blurred, _ = acquire(sphere(), clean(detector_blur_mm=4.0), seed=1, model="light")
    assert blurred.array.max() < 0.9 * sharp.array.max()
    assert blurred.array.sum() == pytest.approx(sharp.array.sum(), rel=0.05)


GRID = Geometry((60, 60, 60), (0.5,) * 3, (-14.75,) * 3)
SCENE_GRID = Geometry((72, 72, 72), (0.45,) * 3, (-15.975,) * 3)


def ball_and_tube(protocol: Protocol) -> Scene:
    """A ball of 5 mm and a tube of 1.5 mm radius, full of contrast agent, in a head."""
    axis = (np.arange(72) - 35.5) * 0.45
    k, j, i = np.meshgrid(axis, axis, axis, indexing="ij")
    ball, tube = 5.0 - np.sqrt((k - 3) ** 2 + j**2 + (i - 2) ** 2), 1.5 - np.hypot(k + 8, i + 6)
    share = np.clip(ball / 0.45 + 0.5, 0, 1) + np.clip(tube / 0.45 + 0.5, 0, 1)
    contrast = (protocol.contrast_hu * share).astype(np.float32)
    head = draw_head(protocol, np.random.default_rng(7))
    return Scene(SCENE_GRID, contrast, np.zeros_like(contrast), head)


def seen(reconstruct: Callable[..., np.ndarray], protocol: Protocol) -> dict[str, float]:
    """Contrast in ball and tube, width of the ball's edge in mm, and noise, in an image."""
    image = reconstruct(ball_and_tube(protocol), GRID, protocol, np.random.default_rng(1))
    image = enhance_edges(image, GRID, protocol)
    axis = (np.arange(60) - 29.5) * 0.5
    k, j, i = np.meshgrid(axis, axis, axis, indexing="ij")
    away, tube = np.sqrt((k - 3) ** 2 + j**2 + (i - 2) ** 2), np.hypot(k + 8, i + 6)
    free = (tube > 4) & (np.abs(j) < 9) & (np.hypot(k, i) < 13)
    around = free & (away > 7) & (away < 10)
    background = np.median(image[around])
    contrast = np.median(image[away < 3]) - background
    rims = np.arange(3.0, 7.0, 0.25)
    profile = [np.median(image[free & (np.abs(away - rim) < 0.25)]) for rim in rims]
    heights = (np.array(profile) - background) / contrast
    quarter, most = np.interp([-0.75, -0.25], -heights, rims)
    fine = image - ndimage.gaussian_filter(image, 3.0)
    return {
        "contrast": float(contrast),
        "tube": float(np.median(image[(tube < 0.5) & (np.abs(j) < 7)]) - background),
        "edge": float(most - quarter),
        "noise": float(fine[free & (away > 7.5)].std()),
    }


AGREEMENT = {"contrast": 0.12, "tube": 0.12, "edge": 0.15, "noise": 0.35}
"""How far the light model may be from the cone-beam model, of the latter."""


@pytest.mark.parametrize(
    "changes",
    [
        {"views": 80},
        {"views": 80, "hann_cut": 0.5, "photons": 5e4, "subtracted": True, "mask_turn_deg": 0.1},
        {"views": 80, "edge_gain": 1.0, "edge_mm": 0.6, "photons": 1e5, "hardening": 1.0},
    ],
)
def test_agrees_with_the_cone_beam(changes, needs_rtk):
    """The same contrast, sharpness and noise, for soft and sharp kernels, with and without bone."""
    needs_rtk()
    from gsema_core.simulation import cone_beam

    protocol = replace(CENTERS["A"], **changes)
    light, projected = (seen(model.reconstruct, protocol) for model in (image_model, cone_beam))
    for name, share in AGREEMENT.items():
        assert light[name] == pytest.approx(projected[name], rel=share), (name, light, projected)
