"""The contrastive loss (equations 4 and 5) and its boundary-aware sum."""

from __future__ import annotations

import math

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.losses import BoundaryAwareContrastiveLoss, boundary_map, contrastive_loss

SHAPE = (2, 3, 6, 5, 4)


def latents(generator: torch.Generator, shape: tuple[int, ...] = SHAPE) -> list[torch.Tensor]:
    return [torch.randn(shape, generator=generator) for _ in range(4)]


def test_all_similarities_equal(generator: torch.Generator) -> None:
    z = torch.randn(SHAPE, generator=generator)
    assert contrastive_loss(z, z, z, z).item() == pytest.approx(math.log(3.0), abs=1e-6)


def test_positives_one_negatives_zero() -> None:
    s, t = torch.zeros(2, *SHAPE)
    s[:, 0], t[:, 1] = 1.0, 1.0
    assert contrastive_loss(s, t, 2.0 * s, 3.0 * t).item() == pytest.approx(0.5514, abs=5e-5)


def test_positives_one_negatives_minus_one(generator: torch.Generator) -> None:
    z = torch.randn(SHAPE, generator=generator)
    assert contrastive_loss(z, -z, z, -z).item() == pytest.approx(0.2395, abs=5e-5)


def test_is_the_printed_formula(generator: torch.Generator) -> None:
    s, t, s_teacher, t_teacher = latents(generator)

    def term(u: torch.Tensor, v: torch.Tensor, sample: int, temperature: float) -> float:
        u, v = u[sample].flatten(), v[sample].flatten()
        return math.exp(float(u @ v / (u.norm() * v.norm())) / temperature)

    for temperature in (1.0, 0.1):
        expected = 0.0
        for sample in range(2):
            good = sum(term(u, v, sample, temperature) for u, v in ((s, s_teacher), (t, t_teacher)))
            bad = sum(
                term(u, v, sample, temperature)
                for u, v in ((s, t), (s_teacher, t_teacher), (s, t_teacher), (s_teacher, t))
            )
            expected -= math.log(good / (good + bad)) / 2
        loss = contrastive_loss(s, t, s_teacher, t_teacher, temperature)
        assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_lower_temperature_sharpens() -> None:
    s, t = torch.zeros(2, *SHAPE)
    s[:, 0], t[:, 1] = 1.0, 1.0
    assert contrastive_loss(s, t, s, t, 0.1).item() == pytest.approx(
        math.log(1.0 + 2.0 * math.exp(-10.0)), abs=1e-6
    )


def test_similarity_is_taken_per_sample(generator: torch.Generator) -> None:
    batch = latents(generator)
    batch[0][1] *= 100.0  # a loud sample must not outweigh the other
    single = [contrastive_loss(*(z[i : i + 1] for z in batch)) for i in range(2)]
    torch.testing.assert_close(contrastive_loss(*batch), torch.stack(single).mean())


def test_only_the_student_gets_a_gradient(generator: torch.Generator) -> None:
    zs, zt, zs_teacher, zt_teacher = (z.requires_grad_() for z in latents(generator))
    BoundaryAwareContrastiveLoss()(zs, zt, zs_teacher.detach(), zt_teacher.detach()).backward()
    for student in (zs, zt):
        assert student.grad is not None and student.grad.abs().sum() > 0
    assert zs_teacher.grad is None and zt_teacher.grad is None


def test_a_step_along_the_gradient_lowers_the_loss(generator: torch.Generator) -> None:
    zs, zt, zs_teacher, zt_teacher = latents(generator)
    zs.requires_grad_(), zt.requires_grad_()
    loss = BoundaryAwareContrastiveLoss()
    before = loss(zs, zt, zs_teacher, zt_teacher)
    before.backward()
    with torch.no_grad():
        after = loss(zs - 5.0 * zs.grad, zt - 5.0 * zt.grad, zs_teacher, zt_teacher)
    assert after < before


def test_gradient_is_exact(generator: torch.Generator) -> None:
    z = [
        torch.randn(1, 2, 3, 4, 3, generator=generator, dtype=torch.float64, requires_grad=True)
        for _ in range(4)
    ]
    assert torch.autograd.gradcheck(BoundaryAwareContrastiveLoss(temperature=0.5), z)


@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_latents_without_a_boundary_stay_finite(constant: float) -> None:
    z = torch.full(SHAPE, constant, requires_grad=True)
    loss = BoundaryAwareContrastiveLoss()(z, z, z.detach(), z.detach())
    loss.backward()
    assert loss.isfinite() and z.grad.isfinite().all()


def test_terms_and_their_switches(generator: torch.Generator) -> None:
    z = latents(generator)
    volume = contrastive_loss(*z)
    boundary = contrastive_loss(*(boundary_map(x) for x in z))
    assert not torch.isclose(volume, boundary)
    torch.testing.assert_close(BoundaryAwareContrastiveLoss()(*z), volume + boundary)
    torch.testing.assert_close(BoundaryAwareContrastiveLoss(boundary=False)(*z), volume)
    torch.testing.assert_close(BoundaryAwareContrastiveLoss(volume=False)(*z), boundary)
    assert BoundaryAwareContrastiveLoss(volume=False, boundary=False)(*z) == 0.0
    magnitude = BoundaryAwareContrastiveLoss(volume=False, magnitude=True)(*z)
    assert not torch.isclose(magnitude, boundary)


def test_autocast_and_half_precision_change_nothing(generator: torch.Generator) -> None:
    z = [x.bfloat16() for x in latents(generator)]
    loss = BoundaryAwareContrastiveLoss()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = loss(*z)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, loss(*(x.float() for x in z)))


def test_shapes_must_agree(generator: torch.Generator) -> None:
    zs, zt, zs_teacher, _ = latents(generator)
    with pytest.raises(ValueError, match="one shape"):
        contrastive_loss(zs, zt, zs_teacher, zs_teacher[:1])


@pytest.mark.parametrize("arguments", [{"temperature": 0.0}, {"cutoff": 0.7}])
def test_bad_settings_are_explained(arguments: dict[str, float]) -> None:
    (name, value), *_ = arguments.items()
    with pytest.raises(UserError, match=f"{name} is {value}, expected"):
        BoundaryAwareContrastiveLoss(**arguments)
