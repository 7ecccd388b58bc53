"""The high-pass mask and the boundary map (equation 3)."""

from __future__ import annotations

import math

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.losses import boundary_map, highpass_mask

SHAPES = [(8, 8, 8), (7, 9, 5), (6, 7, 8), (12, 4, 9), (1, 8, 8)]


def full_mask(shape: tuple[int, ...], cutoff: float) -> torch.Tensor:
    """The definition, voxel by voxel, over all frequencies."""
    mask = torch.zeros(shape)
    for index in torch.cartesian_prod(*(torch.arange(n) for n in shape)).tolist():
        k = [min(i, n - i) for i, n in zip(index, shape, strict=True)]
        low = all(k_i < cutoff * n for k_i, n in zip(k, shape, strict=True))
        mask[tuple(index)] = 0.0 if low else 1.0
    return mask


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cutoff", [0.1, 0.25, 0.4])
def test_mask_is_its_definition(shape: tuple[int, ...], cutoff: float) -> None:
    half = full_mask(shape, cutoff)[..., : shape[-1] // 2 + 1]
    assert torch.equal(highpass_mask(shape, cutoff).float(), half)


@pytest.mark.parametrize("shape", SHAPES)
def test_mask_is_hermitian(shape: tuple[int, ...], generator: torch.Generator) -> None:
    z = torch.randn(2, 3, *shape, generator=generator, dtype=torch.float64)
    spectrum = torch.fft.fftn(z, dim=(2, 3, 4)) * full_mask(shape, 0.25)
    filtered = torch.fft.ifftn(spectrum, dim=(2, 3, 4))
    assert filtered.imag.abs().max() < 1e-12
    torch.testing.assert_close(boundary_map(z), filtered.real)


def test_mask_removes_the_center_and_keeps_the_rim() -> None:
    mask = highpass_mask((8, 8, 8), 0.25)
    assert not mask[0, 0, 0] and not mask[1, 1, 1] and not mask[-1, -1, 1]
    assert mask[2, 0, 0] and mask[0, -2, 0] and mask[0, 0, 2] and mask[4, 4, 4]


def test_works_in_two_dimensions_too(generator: torch.Generator) -> None:
    z = torch.randn(1, 2, 9, 6, generator=generator)
    assert boundary_map(z).shape == z.shape


@pytest.mark.parametrize("shape", SHAPES)
def test_boundary_map_of_a_constant_is_zero(shape: tuple[int, ...]) -> None:
    assert boundary_map(torch.full((1, 2, *shape), 3.0)).abs().max() < 1e-5


def test_filter_is_linear_and_idempotent(generator: torch.Generator) -> None:
    z = torch.randn(1, 2, 8, 7, 6, generator=generator, dtype=torch.float64)
    b = boundary_map(z)
    torch.testing.assert_close(boundary_map(b), b)
    torch.testing.assert_close(boundary_map(2.0 * z + 5.0), 2.0 * b)


def test_boundary_map_is_largest_at_an_edge() -> None:
    step = torch.zeros(1, 1, 16, 16, 16)
    step[:, :, 8:] = 1.0
    profile = boundary_map(step)[0, 0, :, 5, 5].abs()
    # Periodic: the step at 8 and the one from 15 back to 0.
    assert {int(i) for i in profile.topk(4).indices} == {0, 7, 8, 15}


def test_magnitude_makes_unrelated_latents_similar(generator: torch.Generator) -> None:
    u, v = torch.randn(2, 1, 16, 12, 12, 12, generator=generator)
    cosine = torch.nn.functional.cosine_similarity

    def similarity(magnitude: bool) -> float:
        maps = [boundary_map(z, magnitude=magnitude).flatten(1) for z in (u, v)]
        return float(cosine(*maps))

    assert similarity(magnitude=False) == pytest.approx(0.0, abs=0.02)
    assert similarity(magnitude=True) == pytest.approx(2.0 / math.pi, abs=0.02)


def test_half_precision_input_is_filtered_in_float32(generator: torch.Generator) -> None:
    z = torch.randn(1, 2, 7, 6, 5, generator=generator).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        b = boundary_map(z)
    assert b.dtype == torch.float32
    torch.testing.assert_close(b, boundary_map(z.float()))


def test_gradient_is_exact(generator: torch.Generator) -> None:
    z = torch.randn(1, 1, 4, 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(boundary_map, (z,))


@pytest.mark.parametrize("cutoff", [0.0, -0.1, 0.5, float("nan")])
def test_cutoff_out_of_range_is_explained(cutoff: float) -> None:
    with pytest.raises(UserError, match=f"cutoff is {cutoff}.*between 0 and 0.5"):
        highpass_mask((8, 8, 8), cutoff)
