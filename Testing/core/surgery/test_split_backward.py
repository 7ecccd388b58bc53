"""The cheap step against the naive one: same losses, same three gradients."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from gsema_core.losses import BoundaryAwareContrastiveLoss, DiceCELoss, consistency_loss
from gsema_core.surgery import GradientRows, single_backward, split_backward


def naive_gradients(student, teacher, source, target, segmentation, contrast) -> list[Tensor]:
    """Three whole backward passes, each on forwards of its own."""
    parameters = list(student.parameters())

    def flat(loss: Tensor) -> Tensor:
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        return torch.cat(
            [
                (torch.zeros_like(p) if g is None else g).flatten()
                for p, g in zip(parameters, gradients, strict=True)
            ]
        )

    with torch.no_grad():
        references = [teacher.encode(image).latent for image in (source[0], target[0])]
    latents = [student.encode(image).latent for image in (source[0], target[0])]
    return [
        flat(segmentation(student(source[0]), source[1])),
        flat(segmentation(student(target[0]), target[1])),
        flat(contrast(*latents, *references)),
    ]


@pytest.fixture
def teacher(student):
    teacher = copy.deepcopy(student)
    with torch.no_grad():
        for parameter in teacher.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return teacher


def test_gradients_equal_the_naive_ones(student, teacher, patches):
    segmentation, contrast = DiceCELoss(), BoundaryAwareContrastiveLoss()
    rows = GradientRows(student.parameters())
    losses = split_backward(rows, student, teacher, *patches, segmentation, contrast)
    expected = naive_gradients(student, teacher, *patches, segmentation, contrast)
    for row, reference in zip(rows.flat, expected, strict=True):
        assert reference.abs().max() > 0
        torch.testing.assert_close(row, reference, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(losses.source, segmentation(student(patches[0][0]), patches[0][1]))


WEIGHTS = (0.3, 0.7)
"""Of eq. 6, without a factor that is exact in binary."""


@pytest.mark.parametrize(("bacl", "consistency"), [(True, 0.0), (False, 7.0)])
def test_encoder_walked_once_gives_the_same_total(student, teacher, patches, bacl, consistency):
    """Two batches; the domains' rows are the exact ones where the decoder is, else zero."""
    contrast = BoundaryAwareContrastiveLoss() if bacl else None
    exact, once = (GradientRows(student.parameters()) for _ in range(2))
    for streams in (patches, patches[::-1]):
        arguments = (student, teacher, *streams, DiceCELoss(), contrast)
        expected = split_backward(exact, *arguments, consistency_weight=consistency)
        losses = split_backward(
            once, *arguments, consistency_weight=consistency, encoder_once=WEIGHTS
        )
        torch.testing.assert_close(losses, expected)
    decoder = components_of_decoder(student, patches[0][0])
    for row, reference in zip(once.flat[:2], exact.flat[:2], strict=True):
        torch.testing.assert_close(row[decoder], reference[decoder], rtol=1e-5, atol=1e-6)
        assert row[decoder].any() and not row[~decoder].any()
    assert once.contrast[~decoder].any() and not once.contrast[decoder].any()
    total = exact.combine(*WEIGHTS)
    torch.testing.assert_close(once.combine(WEIGHTS[0], 1.0), total, rtol=1e-5, atol=1e-5)


def components_of_decoder(student, image: Tensor) -> Tensor:
    """Which components of the flat gradient the encoder's maps do not depend on."""
    encoded = student.encode(image)
    maps = [each for each in (encoded.latent, *encoded.skips) if each.requires_grad]
    parameters = list(student.parameters())
    gradients = torch.autograd.grad([each.sum() for each in maps], parameters, allow_unused=True)
    return torch.cat(
        [torch.full((p.numel(),), g is None) for p, g in zip(parameters, gradients, strict=True)]
    )


def test_encoder_walked_once_is_walked_once(student, teacher, patches):
    """The first convolution's backward runs once a stream, instead of twice."""
    counts = []
    for once in (None, WEIGHTS):
        walks: list[int] = []
        first = next(student.parameters())
        handle = first.register_hook(lambda gradient, walks=walks: walks.append(1))
        rows = GradientRows(student.parameters())
        arguments = (*patches, DiceCELoss(), BoundaryAwareContrastiveLoss())
        split_backward(rows, student, teacher, *arguments, encoder_once=once)
        handle.remove()
        counts.append(len(walks))
    # A hook on a weight is called once for each backward call, with both streams' sum.
    assert counts == [3, 1]


def test_two_batches_accumulate(student, teacher, patches):
    loss = DiceCELoss()
    once, twice = (GradientRows(student.parameters()) for _ in range(2))
    split_backward(once, student, teacher, *patches, loss)
    for _ in range(2):
        split_backward(twice, student, teacher, *patches, loss)
    torch.testing.assert_close(twice.flat, 2 * once.flat, rtol=1e-4, atol=1e-6)


def test_works_under_bfloat16_autocast(student, teacher, patches):
    """Cached casts of weights serve both streams though the first frees its decoder graph."""
    segmentation, contrast = DiceCELoss(), BoundaryAwareContrastiveLoss()
    exact, rough = (GradientRows(student.parameters()) for _ in range(2))
    split_backward(exact, student, teacher, *patches, segmentation, contrast)
    with torch.autocast("cpu", torch.bfloat16):
        split_backward(rough, student, teacher, *patches, segmentation, contrast)
    for a, b in zip(exact.flat[:2], rough.flat[:2], strict=True):
        assert torch.nn.functional.cosine_similarity(a, b, dim=0) > 0.95


def test_without_contrast_its_row_stays_zero_and_no_teacher_is_needed(student, patches):
    rows = GradientRows(student.parameters())
    losses = split_backward(rows, student, None, *patches, DiceCELoss())
    assert losses.contrast == 0
    assert not rows.contrast.any()
    assert rows.source.any() and rows.target.any()


def test_contrast_without_teacher_is_refused(student, patches):
    rows = GradientRows(student.parameters())
    with pytest.raises(ValueError, match="pass the teacher"):
        split_backward(rows, student, None, *patches, DiceCELoss(), BoundaryAwareContrastiveLoss())


def test_contrast_reaches_the_encoder_only(student, teacher, patches):
    rows = GradientRows(student.parameters())
    split_backward(rows, student, teacher, *patches, DiceCELoss(), BoundaryAwareContrastiveLoss())
    rows._attach(2)
    assert not student.head.weight.grad.any()


def test_consistency_is_shared_by_the_streams_without_loss(student, patches):
    """Each row has its own part; together they are the gradient of the whole."""
    loss, weight = DiceCELoss(), 7.0
    rows = GradientRows(student.parameters())
    losses = split_backward(rows, student, None, *patches, loss, consistency_weight=weight)
    predictions = [student(image) for image, _ in patches]
    segmentation = sum(loss(p, y) for p, (_, y) in zip(predictions, patches, strict=True))
    disagreement = consistency_loss(*predictions)
    total = torch.autograd.grad(segmentation + weight * disagreement, list(student.parameters()))
    expected = torch.cat([each.flatten() for each in total])
    torch.testing.assert_close(rows.source + rows.target, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(losses.consistency, weight * disagreement.detach())
    torch.testing.assert_close(losses.source + losses.target, segmentation.detach())
    without = GradientRows(student.parameters())
    split_backward(without, student, None, *patches, loss)
    assert not torch.allclose(rows.source, without.source, atol=1e-3)


def test_one_stream_is_two_of_the_same_patches(student, patches):
    source, _ = patches
    two, one = (GradientRows(student.parameters()) for _ in range(2))
    expected = split_backward(two, student, None, source, source, DiceCELoss())
    losses = single_backward(one, student, source, DiceCELoss())
    torch.testing.assert_close(one.flat, two.flat, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(torch.stack(losses), torch.stack(expected))


def test_one_stream_accumulates(student, patches):
    rows, once = (GradientRows(student.parameters()) for _ in range(2))
    single_backward(once, student, patches[0], DiceCELoss())
    for _ in range(2):
        single_backward(rows, student, patches[0], DiceCELoss())
    torch.testing.assert_close(rows.flat, 2 * once.flat, rtol=1e-4, atol=1e-6)


def test_a_failed_pass_leaves_no_gradient_attached(student, patches):
    """A step that ran out of memory is repeated: nothing of it may be left in .grad."""
    calls = []

    def fails_on_target(logits, labels):
        calls.append(1)
        if len(calls) == 2:
            raise torch.OutOfMemoryError("injected")
        return DiceCELoss()(logits, labels)

    rows = GradientRows(student.parameters())
    with pytest.raises(torch.OutOfMemoryError):
        split_backward(rows, student, None, *patches, fails_on_target)
    assert all(each.grad is None for each in student.parameters())
