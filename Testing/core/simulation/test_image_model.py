"""The light model's formulas against what it draws."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.simulation import acquire, image_model


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


def test_agrees_with_the_cone_beam(sphere, clean, needs_rtk):
    """Same scene, same protocol: the same enhancement, and an edge as steep within a fifth."""
    needs_rtk()
    steepness, peak = {}, {}
    for model in ("light", "cone_beam"):
        image, labels = acquire(sphere(), clean(views=80), seed=1, model=model)
        values = image.array.astype(float)
        slopes = np.linalg.norm(np.stack(np.gradient(values)), axis=0)
        peak[model] = np.median(values[labels.array > 0])
        steepness[model] = np.percentile(slopes[labels.array > 0], 95)
    assert peak["light"] == pytest.approx(peak["cone_beam"], rel=0.1)
    assert steepness["light"] == pytest.approx(steepness["cone_beam"], rel=0.2)
