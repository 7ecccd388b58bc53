"""GIN and GIN-IPA (CMDG)."""

from __future__ import annotations

import pytest
import torch

from gsema_core.transforms.gin import GinParameters, GinTransform, convolve, gin
from gsema_core.transforms.gin_ipa import GinIpaTransform


@pytest.mark.parametrize("kernel", [1, 3])
def test_convolve_is_torchs(kernel: int, generator) -> None:
    x = torch.randn(2, 5, 6, 7, generator=generator)
    weight = torch.randn(3, 2, kernel, kernel, kernel, generator=generator)
    shift = torch.randn(3, generator=generator)
    expected = torch.nn.functional.conv3d(x[None], weight, shift, padding=kernel // 2)[0]
    torch.testing.assert_close(convolve(x, weight, shift), expected, rtol=1e-4, atol=1e-4)


def test_alpha_zero_is_identity(image) -> None:
    torch.testing.assert_close(gin(image[0], GinParameters(3, 0.0)), image[0])


@pytest.mark.parametrize("seed", range(6))
def test_norm_is_kept(image, seed: int) -> None:
    out = gin(image[0], GinParameters(seed, 0.8))
    assert float(out.norm()) == pytest.approx(float(image[0].norm()), rel=1e-5)
    assert not torch.allclose(out, image[0], atol=0.01)


def test_nets_are_fresh(image) -> None:
    one, two = (gin(image[0], GinParameters(seed, 1.0)) for seed in (1, 2))
    assert not torch.allclose(one, two, atol=0.01)


def test_net_is_local(image) -> None:
    """Four kernels of 3 reach 4 voxels at most; beyond, a changed voxel is not felt."""
    for seed in range(8):
        changed = image[0].clone()
        changed[0, 10, 8, 12] = 0.0
        before, after = (gin(x, GinParameters(seed, 1.0)) for x in (image[0], changed))
        # Undo the norms, which are global: far away the two are proportional.
        ratio = after[0, 0, 0, :6] / before[0, 0, 0, :6]
        torch.testing.assert_close(ratio, ratio[0].expand_as(ratio), rtol=1e-3, atol=1e-4)


def test_alphas_fill_the_unit_interval(image) -> None:
    generator = torch.Generator().manual_seed(0)
    many = image[:1].expand(200, *image.shape[1:])
    alphas = [p.alpha for p in GinTransform().draw(generator, many)]
    assert 0.0 <= min(alphas) < 0.05 and 0.95 < max(alphas) <= 1.0


def test_the_two_views_add_up(image, labels, generator) -> None:
    """m * a + (1 - m) * b and its complement sum to a + b, whatever the map."""
    transform = GinIpaTransform()
    parameters = transform.draw(generator, image)
    one, _ = transform.apply(image, labels, parameters)
    other, _ = transform.apply(image, labels, transform.complement(parameters))
    for i, p in enumerate(parameters):
        both = gin(image[i], p.first) + gin(image[i], p.second)
        torch.testing.assert_close(one[i] + other[i], both, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(one, other, atol=0.01)


def test_the_map_is_smooth_and_in_the_unit_interval(image, labels, generator) -> None:
    transform = GinIpaTransform()
    (parameters,) = transform.draw(generator, image[:1])
    out, _ = transform.apply(image[:1], labels[:1], (parameters,))
    first, second = gin(image[0], parameters.first), gin(image[0], parameters.second)
    clear = (first - second).abs() > 0.05
    share = (out[0] - second) / (first - second)
    assert clear.float().mean() > 0.2
    assert share[clear].min() > -1e-3 and share[clear].max() < 1.0 + 1e-3
    assert share[clear].std() > 0.05
    # Control points lie (n - 1) / 4 voxels apart and differ by 1 at most.
    steps, size = share.diff(dim=3).abs(), image.shape[4]
    known = clear[..., 1:] & clear[..., :-1]
    assert steps[known].max() < 4.0 / (size - 1) + 1e-2
