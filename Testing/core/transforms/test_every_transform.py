"""What holds for every target transform."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch

from gsema_core.transforms import Sequence, Transform, build_transform
from gsema_core.transforms.transform_factory import TRANSFORMS

NAMES = list(TRANSFORMS)
INTENSITY = [name for name in NAMES if name not in ("geometric", "paper")]
ACTIVE = [name for name in NAMES if name != "none"]


def always(name: str) -> Transform[Any]:
    """The transform with every probability of acting at all set to one."""
    transform = build_transform(name)
    for part in (transform, *getattr(transform, "transforms", ())):
        part.probability = 1.0
    return transform


@pytest.mark.parametrize("name", NAMES)
def test_replay_is_identical_and_inputs_stay(name, image, labels, donor, generator) -> None:
    transform = always(name)
    before = image.clone(), labels.clone()
    parameters = transform.draw(generator, image, donor)
    first = transform.apply(image, labels, parameters)
    again = transform.apply(image, labels, pickle.loads(pickle.dumps(parameters)))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert torch.equal(image, before[0]) and torch.equal(labels, before[1])


@pytest.mark.parametrize("name", NAMES)
def test_the_generator_is_the_only_randomness(name, image, labels, donor) -> None:
    transform = always(name)

    def run(seed: int) -> torch.Tensor:
        torch.rand(())  # moves the global generator, which must not matter
        return transform(image, labels, torch.Generator().manual_seed(seed), donor)[0]

    assert torch.equal(run(1), run(1))
    assert torch.equal(run(1), run(2)) == (name == "none")


@pytest.mark.parametrize("name", ACTIVE)
def test_samples_get_their_own_parameters(name, image, labels, donor, generator) -> None:
    transform = always(name)
    # Three equal patches; flips alone may coincide, so any pair may differ.
    out, _ = transform(image, labels, generator, donor[:1].expand_as(donor))
    assert not (torch.equal(out[0], out[1]) and torch.equal(out[1], out[2]))
    assert not torch.equal(out, image)


@pytest.mark.parametrize("name", ACTIVE)
def test_a_sample_does_not_depend_on_its_batch(name, image, labels, donor, generator) -> None:
    transform = always(name)
    parameters = transform.draw(generator, image, donor)
    whole, moved = transform.apply(image, labels, parameters)
    for i in range(len(image)):
        part = slice(i, i + 1)
        single, single_labels = transform.apply(image[part], labels[part], parameters[part])
        torch.testing.assert_close(single, whole[part])
        assert torch.equal(single_labels, moved[part])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_range_type_and_shape(name, dtype, image, labels, donor, generator) -> None:
    transform = always(name)
    out, moved = transform(image.to(dtype), labels, generator, donor)
    assert out.dtype == dtype and out.shape == image.shape and out.isfinite().all()
    assert moved.dtype == labels.dtype and moved.shape == labels.shape
    assert set(moved.unique().tolist()) <= {0, 1, 2}
    if not name.startswith("gin"):
        assert out.min() >= 0.0 and out.max() <= 1.0


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_and_autocast_compute_in_float32(
    name, image, labels, donor, generator
) -> None:
    transform = always(name)
    image = image.bfloat16()
    parameters = transform.draw(generator, image, donor)
    exact, _ = transform.apply(image.float(), labels, parameters)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out, _ = transform.apply(image, labels, parameters)
    assert torch.equal(out, exact.bfloat16())


@pytest.mark.parametrize("name", INTENSITY)
def test_labels_are_untouched_by_appearance(name, image, labels, donor, generator) -> None:
    _, moved = always(name)(image, labels, generator, donor)
    assert torch.equal(moved, labels)


@pytest.mark.parametrize("name", NAMES)
def test_extreme_patches_stay_finite(name, labels, generator) -> None:
    for value in (0.0, 1.0):
        flat = torch.full(labels.shape, value)
        out, _ = always(name)(flat, labels, generator, flat)
        assert out.isfinite().all()


@pytest.mark.parametrize("name", ["paper", "gin_ipa"])
def test_two_channels_work(name, image, labels, generator) -> None:
    out, _ = always(name)(image.repeat(1, 2, 1, 1, 1), labels, generator)
    assert out.shape[1] == 2


def test_nothing_is_recorded_for_backward(image, labels, generator) -> None:
    out, _ = always("paper")(image.requires_grad_(), labels, generator)
    assert not out.requires_grad


@pytest.mark.parametrize("name", NAMES)
def test_says_whether_it_moves_voxels(name, image, labels, donor) -> None:
    """What does not say so leaves every label where it is, whatever is drawn."""
    transform = always(name)
    draws = (
        transform(image, labels, torch.Generator().manual_seed(seed), donor)[1] for seed in range(8)
    )
    assert any(not torch.equal(moved, labels) for moved in draws) == transform.moves_voxels


def test_what_moves_voxels_does_so_in_any_company() -> None:
    assert build_transform(["gin", "geometric"]).moves_voxels
    assert Sequence([build_transform(["noise", "paper"]), build_transform("gin")]).moves_voxels
    assert not build_transform(["gin", "noise", "bias"]).moves_voxels
