"""Amplitude mixing (FedDG)."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.transforms.amplitude_mix import AmplitudeMixTransform

AXES = (-3, -2, -1)


def mixed(image, donor, weight: float, band: float = 0.2) -> torch.Tensor:
    """The result for one sample, shifted into the middle of [0, 1] so that nothing is clipped."""
    transform = AmplitudeMixTransform(band=band)
    (drawn,) = transform.draw(torch.Generator().manual_seed(0), image, donor)
    parameters = (replace(drawn, weight=weight),)
    return transform.apply(image, torch.zeros_like(image), parameters)[0]


@pytest.fixture
def gray(image) -> torch.Tensor:
    return 0.45 + 0.1 * image[:1]


@pytest.fixture
def other(donor) -> torch.Tensor:
    return 0.4 + 0.1 * donor[:1]


def test_weight_zero_and_own_donor_are_identity(gray, other) -> None:
    torch.testing.assert_close(mixed(gray, other, 0.0), gray, rtol=0, atol=1e-6)
    torch.testing.assert_close(mixed(gray, gray, 0.7), gray, rtol=0, atol=1e-6)


@pytest.mark.parametrize("band", [0.0, 0.1, 0.2, 0.49])
def test_amplitudes_move_inside_the_cube_only_and_phase_stays(gray, other, band) -> None:
    out = mixed(gray, other, 0.6, band).double()
    own, theirs, result = (torch.fft.fftn(x.double(), dim=AXES) for x in (gray, other, out))
    b = int(band * min(gray.shape[2:]))
    k = [torch.fft.fftfreq(n, d=1 / n).abs() for n in gray.shape[2:]]
    inside = (
        (k[0][:, None, None] <= b) & (k[1][None, :, None] <= b) & (k[2][None, None, :] <= b)
    ).expand_as(own)
    assert int(inside.sum()) == (2 * b + 1) ** 3
    expected = torch.where(inside, 0.4 * own.abs() + 0.6 * theirs.abs(), own.abs())
    torch.testing.assert_close(result.abs(), expected, rtol=1e-3, atol=1e-3)
    strong = expected > 0.1
    turn = (result / own)[strong]
    assert (turn.imag.abs() / turn.abs()).max() < 1e-2 and turn.real.min() > 0.0


def test_the_mean_follows_the_donor(gray, other) -> None:
    assert float(mixed(gray, other, 1.0).mean()) == pytest.approx(float(other.mean()), abs=1e-5)


def test_samples_take_their_own_donor(image, donor) -> None:
    drawn = AmplitudeMixTransform().draw(torch.Generator().manual_seed(0), image, donor)
    means = [float(p.amplitude[0, 1, 1, 0]) / donor[0].numel() for p in drawn]
    assert means == pytest.approx(donor.mean(dim=(1, 2, 3, 4)).tolist(), rel=1e-5)


def test_a_missing_donor_is_explained(image, generator) -> None:
    with pytest.raises(UserError, match="train on cases of two or more centers"):
        AmplitudeMixTransform().draw(generator, image)


@pytest.mark.parametrize("band", [-0.1, 0.5])
def test_bad_band_is_explained(band: float) -> None:
    with pytest.raises(UserError, match=f"band of amplitude_mix is {band}, expected"):
        AmplitudeMixTransform(band=band)
