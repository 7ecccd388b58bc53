"""Flips, rotation and scaling."""

from __future__ import annotations

import math

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.labels import IGNORE
from gsema_core.transforms.geometric import Affine, GeometricParameters, GeometricTransform

NO_FLIP = (False, False, False)


def centroid(mask: torch.Tensor) -> torch.Tensor:
    return torch.nonzero(mask[0]).double().mean(0)


def moved(image, labels, affine: Affine | None, flips=NO_FLIP):
    parameters = (GeometricParameters(flips, affine),)
    return GeometricTransform().apply(image[:1], labels[:1], parameters)


@pytest.mark.parametrize("axis", range(3))
def test_flip_is_exact_and_its_own_inverse(axis, image, labels) -> None:
    flips = tuple(i == axis for i in range(3))
    out, out_labels = moved(image, labels, None, flips)
    assert torch.equal(out, image[:1].flip(axis + 2))
    assert torch.equal(out_labels, labels[:1].flip(axis + 2))
    back, back_labels = moved(out, out_labels, None, flips)
    assert torch.equal(back, image[:1]) and torch.equal(back_labels, labels[:1])


def test_identity_affine(image, labels) -> None:
    out, out_labels = moved(image, labels, Affine((1.0, 0.0, 0.0), 0.0, 1.0))
    torch.testing.assert_close(out, image[:1], rtol=0, atol=2e-6)
    assert torch.equal(out_labels, labels[:1])


@pytest.mark.parametrize("axis", range(3))
def test_quarter_turn_is_rot90(axis) -> None:
    """Also fixes the sense: right-handed about the axis, in voxels and not in the unit frame."""
    cube = torch.rand(1, 1, 12, 12, 12, generator=torch.Generator().manual_seed(1))
    direction = tuple(float(i == axis) for i in range(3))
    plane = [(axis + 1) % 3 + 2, (axis + 2) % 3 + 2]
    out, _ = moved(cube, cube, Affine(direction, 90.0, 1.0))
    torch.testing.assert_close(out, cube.rot90(1, plane), rtol=0, atol=1e-4)


def test_image_and_labels_move_together(image, labels) -> None:
    """The aneurysm's centroid in the image, in the label and by arithmetic agree."""
    sharp = (labels[:1] == 2).float()
    center = (torch.tensor(labels.shape[2:], dtype=torch.float64) - 1.0) / 2.0
    for axis, angle, scale in (
        ((1.0, 0.0, 0.0), 15.0, 1.0),
        ((0.0, 1.0, 0.0), 12.0, 1.1),
        ((0.0, 0.6, 0.8), 10.0, 0.9),
    ):
        out, out_labels = moved(sharp, labels, Affine(axis, angle, scale))
        weights = out[0, 0].double()
        grid = torch.cartesian_prod(*(torch.arange(n) for n in weights.shape)).double()
        in_image = (grid * weights.flatten()[:, None]).sum(0) / weights.sum()
        in_labels = centroid(out_labels[0] == 2)
        assert (in_image - in_labels).norm() < 0.25
        d, h, w = axis
        skew = torch.tensor([[0.0, -w, h], [w, 0.0, -d], [-h, d, 0.0]], dtype=torch.float64)
        rotation = torch.linalg.matrix_exp(math.radians(angle) * skew)
        expected = center + scale * rotation @ (centroid(labels[0] == 2) - center)
        assert (in_labels - expected).norm() < 0.3


def test_scale_is_the_volumes_growth(image, labels) -> None:
    _, larger = moved(image, labels, Affine((1.0, 0.0, 0.0), 0.0, 1.2))
    ratio = float((larger == 1).sum() / (labels[:1] == 1).sum())
    assert ratio == pytest.approx(1.2**3, rel=0.15)


def test_outside_is_the_mirror_image() -> None:
    ramp = torch.linspace(0.0, 1.0, 20).expand(1, 1, 8, 8, 20)
    out, _ = moved(ramp, ramp, Affine((1.0, 0.0, 0.0), 0.0, 1 / 1.5))
    profile = out[0, 0, 4, 4]
    assert profile[0] > profile[3] and profile[-1] < profile[-4]


def test_drawn_parameters_keep_their_limits(image) -> None:
    transform = GeometricTransform(affine_probability=1.0)
    generator = torch.Generator().manual_seed(0)
    drawn = transform.draw(generator, image[:1].expand(400, *image.shape[1:]))
    angles = [p.affine.angle_deg for p in drawn]
    scales = [p.affine.scale for p in drawn]
    assert min(angles) >= 0.0 and 13.0 < max(angles) <= 15.0
    assert 1 / 1.2 <= min(scales) < 0.87 and 1.15 < max(scales) <= 1.2
    assert all(math.hypot(*p.affine.axis) == pytest.approx(1.0, abs=1e-5) for p in drawn)
    for axis in range(3):
        assert 0.4 < sum(p.flips[axis] for p in drawn) / 400 < 0.6


def test_zero_strength_is_identity(image, labels, generator) -> None:
    transform = GeometricTransform(flip_probability=0.0, affine_probability=0.0)
    out, out_labels = transform(image, labels, generator)
    assert torch.equal(out, image) and torch.equal(out_labels, labels)


@pytest.mark.parametrize(
    "arguments", [{"max_scale": 0.5}, {"max_angle_deg": -1.0}, {"flip_probability": -0.5}]
)
def test_bad_settings_are_explained(arguments: dict[str, float]) -> None:
    with pytest.raises(UserError, match=f"is {next(iter(arguments.values()))}, expected"):
        GeometricTransform(**arguments)


def test_ignored_voxels_move_like_any_label(image, labels) -> None:
    """Every voxel of the result is a whole label, where the same one was without them."""
    ignored = labels.clone().byte()
    ignored[..., 0] = IGNORE
    affine = Affine((0.0, 0.6, 0.8), 10.0, 1.1)
    _, before = moved(image, labels.byte(), affine, (True, False, True))
    _, after = moved(image, ignored, affine, (True, False, True))
    assert IGNORE in after
    assert torch.equal(after[after != IGNORE], before[after != IGNORE])
