"""Intensity, smoothing, noise, histogram shift and bias field, each against its definition."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.ndimage import gaussian_filter

from gsema_core.errors import UserError
from gsema_core.transforms.bias import BiasParameters, BiasTransform
from gsema_core.transforms.histogram import HistogramParameters, HistogramTransform
from gsema_core.transforms.intensity import IntensityParameters, IntensityTransform
from gsema_core.transforms.noise import NoiseParameters, NoiseTransform
from gsema_core.transforms.smoothing import SmoothingParameters, SmoothingTransform


def applied(transform, image, parameters) -> torch.Tensor:
    return transform.apply(image[:1], torch.zeros_like(image[:1]), (parameters,))[0]


@pytest.mark.parametrize(
    "transform",
    [
        IntensityTransform(max_gamma=1.0, max_scale_change=0.0, max_shift=0.0, probability=1.0),
        SmoothingTransform(max_sigma=0.0, max_sharpening=0.0, probability=1.0),
        NoiseTransform(max_sigma=0.0, probability=1.0),
        HistogramTransform(strength=0.0, probability=1.0),
        BiasTransform(strength=0.0, probability=1.0),
    ],
    ids=lambda t: type(t).__name__,
)
def test_zero_strength_is_identity(transform, image, labels, generator) -> None:
    out, _ = transform(image, labels, generator)
    torch.testing.assert_close(out, image, rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: IntensityTransform(max_gamma=0.5),
        lambda: IntensityTransform(max_shift=-0.1),
        lambda: SmoothingTransform(max_sigma=-1.0),
        lambda: NoiseTransform(max_sigma=math.nan),
        lambda: HistogramTransform(pieces=0),
        lambda: BiasTransform(points=1),
    ],
)
def test_bad_settings_are_explained(make) -> None:
    with pytest.raises(UserError, match="expected"):
        make()


def test_gamma_scale_and_shift(image) -> None:
    out = applied(IntensityTransform(), image, IntensityParameters(2.0, 0.5, 0.1))
    bent = image[:1] ** 2
    torch.testing.assert_close(out, 0.5 * (bent - bent.mean()) + bent.mean() + 0.1)


def test_intensity_limits(image) -> None:
    generator = torch.Generator().manual_seed(0)
    many = image[:1].expand(300, *image.shape[1:])
    drawn = [p for p in IntensityTransform().draw(generator, many) if p is not None]
    gammas = [p.gamma for p in drawn]
    assert 0.5 <= min(gammas) < 0.55 and 1.8 < max(gammas) <= 2.0
    assert 0.4 < sum(gamma < 1.0 for gamma in gammas) / len(gammas) < 0.6
    assert all(0.6 <= p.scale <= 1.4 and abs(p.shift) <= 0.15 for p in drawn)


def test_smoothing_is_a_gaussian(image) -> None:
    sigmas = (0.5, 1.2, 0.9)
    out = applied(SmoothingTransform(), image, SmoothingParameters(sigmas, 1.0))
    expected = gaussian_filter(image[0, 0].numpy(), sigmas, mode="nearest", truncate=4.0)
    assert (out[0, 0] - torch.from_numpy(expected)).abs().max() < 0.01


def test_sharpening_is_the_opposite(image) -> None:
    image = 0.3 + 0.4 * image  # room on both sides, so that nothing is clipped
    transform, sigmas = SmoothingTransform(), (0.8, 0.8, 0.8)
    smooth = applied(transform, image, SmoothingParameters(sigmas, 1.0))
    sharp = applied(transform, image, SmoothingParameters(sigmas, -0.5))
    torch.testing.assert_close(sharp, image[:1] - 0.5 * (smooth - image[:1]))
    assert smooth.std() < image.std() < sharp.std()


@pytest.mark.parametrize("grain", [0.0, 0.4, 1.0])
def test_noise_has_its_deviation_whatever_its_grain(grain: float) -> None:
    gray = torch.full((1, 1, 24, 24, 24), 0.5)
    noise = applied(NoiseTransform(), gray, NoiseParameters(0.05, grain, 3)) - gray
    assert float(noise.std()) == pytest.approx(0.05, rel=0.03)
    neighbors = torch.corrcoef(torch.stack([noise[..., 1:].flatten(), noise[..., :-1].flatten()]))[
        0, 1
    ]
    # Two Gaussians of width s, one voxel apart: exp(-1 / (4 s^2)).
    expected = math.exp(-1.0 / (4.0 * grain**2)) if grain >= 1.0 else None
    if expected is not None:
        assert float(neighbors) == pytest.approx(expected, abs=0.08)
    elif grain == 0.0:
        assert abs(float(neighbors)) < 0.03
    else:
        assert 0.03 < float(neighbors) < 0.6


def test_noise_depends_on_its_seed(image) -> None:
    one, two = (applied(NoiseTransform(), image, NoiseParameters(0.05, 0.0, s)) for s in (1, 2))
    assert not torch.equal(one, two)


def test_histogram_curve_by_hand() -> None:
    ramp = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]).reshape(1, 1, 1, 1, 5)
    out = applied(HistogramTransform(), ramp, HistogramParameters((0.0, 0.2, 1.0)))
    torch.testing.assert_close(out.flatten(), torch.tensor([0.0, 0.1, 0.2, 0.6, 1.0]))


def test_histogram_curve_increases_from_zero_to_one(image) -> None:
    generator = torch.Generator().manual_seed(0)
    transform = HistogramTransform(probability=1.0)
    ramp = torch.linspace(0.0, 1.0, 200).reshape(1, 1, 1, 1, 200)
    for parameters in transform.draw(generator, image[:1].expand(20, *image.shape[1:])):
        out = applied(transform, ramp, parameters).flatten()
        assert out[0] == 0.0 and out[-1] == pytest.approx(1.0)
        assert (out.diff() > 0.0).all()


def test_bias_field_meets_its_control_points() -> None:
    control = torch.tensor([0.5, 1.0, 0.8, 1.5]).reshape(4, 1, 1).expand(4, 4, 4)
    gray = torch.full((1, 1, 10, 7, 8), 0.6)
    profile = applied(BiasTransform(), gray, BiasParameters(control))[0, 0, :, 3, 4]
    torch.testing.assert_close(profile[::3], 0.6 * control[:, 0, 0])
    torch.testing.assert_close(profile[1], 0.6 * torch.tensor(0.5 + 0.5 / 3.0))


def test_bias_limits(image, generator) -> None:
    (parameters,) = BiasTransform(probability=1.0).draw(generator, image[:1])
    assert parameters.control.min() >= math.exp(-0.5)
    assert parameters.control.max() <= math.exp(0.5)
    assert parameters.control.std() > 0.1
