"""The frame around every transform, the factory and the sequence."""

from __future__ import annotations

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.transforms import NoTransform, PaperTransform, Sequence, build_transform
from gsema_core.transforms.bias import BiasTransform
from gsema_core.transforms.gin import GinTransform
from gsema_core.transforms.histogram import HistogramTransform
from gsema_core.transforms.intensity import IntensityTransform
from gsema_core.transforms.noise import NoiseTransform


def test_none_leaves_everything(image, labels, generator) -> None:
    out, moved = NoTransform()(image, labels, generator)
    assert torch.equal(out, image) and torch.equal(moved, labels)
    assert out.data_ptr() != image.data_ptr()  # the target may be written to


def test_probability_decides_per_sample(image, labels) -> None:
    transform = BiasTransform(probability=0.3)
    generator = torch.Generator().manual_seed(0)
    many = image[:1].expand(1000, *image.shape[1:])
    drawn = [p is not None for p in transform.draw(generator, many)]
    assert 0.25 < sum(drawn) / 1000 < 0.35
    assert all(p is None for p in BiasTransform(probability=0.0).draw(generator, many))


def test_a_sample_that_is_not_drawn_stays(image, labels, generator) -> None:
    transform = NoiseTransform(probability=1.0)
    parameters = list(transform.draw(generator, image))
    parameters[1] = None
    out, _ = transform.apply(image, labels, tuple(parameters))
    assert torch.equal(out[1], image[1])
    assert not torch.equal(out[0], image[0]) and not torch.equal(out[2], image[2])


def test_sequence_is_its_parts_in_order(image, labels, generator) -> None:
    first, second = IntensityTransform(probability=1.0), BiasTransform(probability=1.0)
    both = Sequence([first, second])
    parameters = both.draw(generator, image)
    out, _ = both.apply(image, labels, parameters)
    halfway, _ = first.apply(image, labels, tuple(p[0] for p in parameters))
    expected, _ = second.apply(halfway, labels, tuple(p[1] for p in parameters))
    torch.testing.assert_close(out, expected, rtol=0, atol=0)


def test_sequence_keeps_each_parts_clipping(image, labels, generator) -> None:
    last_clips = Sequence([GinTransform(), HistogramTransform(probability=1.0)])
    out, _ = last_clips(image, labels, generator)
    assert out.min() >= 0.0 and out.max() <= 1.0


def test_sequence_needs_a_donor_where_a_part_does() -> None:
    assert build_transform(["paper", "amplitude_mix"]).needs_donor
    assert not build_transform(["paper", "gin"]).needs_donor


def test_sequence_hands_the_donor_on(image, labels, donor, generator) -> None:
    transform = build_transform(["amplitude_mix", "bias"])
    out, _ = transform(image, labels, generator, donor)
    assert not torch.equal(out, image)
    with pytest.raises(UserError, match="no patch of another center"):
        transform.draw(generator, image)


def test_build_transform() -> None:
    assert isinstance(build_transform("paper"), PaperTransform)
    assert isinstance(build_transform(["paper"]), PaperTransform)
    several = build_transform(["noise", "bias"])
    assert isinstance(several, Sequence)
    assert [type(t) for t in several.transforms] == [NoiseTransform, BiasTransform]


def test_unknown_names_are_explained() -> None:
    with pytest.raises(UserError, match=r"'papr' is unknown: use one of none, paper"):
        build_transform("papr")
    with pytest.raises(UserError, match="list of target transforms is empty"):
        build_transform([])


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_bad_probability_is_explained(probability: float) -> None:
    with pytest.raises(UserError, match="expected a number from 0 to 1"):
        NoTransform(probability=probability)


def test_bad_tensors_are_refused(image, labels, generator) -> None:
    transform = NoTransform()
    parameters = transform.draw(generator, image)
    with pytest.raises(ValueError, match="floating point"):
        transform.apply((255 * image).to(torch.uint8), labels, parameters)
    with pytest.raises(ValueError, match="of one size"):
        transform.apply(image, labels[..., :-1], parameters)
    with pytest.raises(ValueError, match="shorter"):
        transform.apply(image, labels, parameters[:2])
    with pytest.raises(ValueError, match="Donor and image"):
        transform.draw(generator, image, image[..., :-1])
