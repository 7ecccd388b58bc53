"""Transforms by name: their strengths, and transforms from outside."""

from __future__ import annotations

import inspect
import pickle
from importlib import import_module
from typing import Any

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.transforms import PaperTransform, Sequence, Transform, build_transform
from gsema_core.transforms.transform_factory import TRANSFORMS

BARE = """
    import torch

    class Darker:
        needs_donor = False
        moves_voxels = False

        def __init__(self, by: float = 0.5):
            self.by = by

        def draw_sample(self, generator, image, donor):
            return float(torch.rand((), generator=generator)) * self.by

        def apply_sample(self, image, labels, parameters):
            return image * (1 - parameters), labels
"""


def test_strengths_are_the_keywords_of_the_transforms() -> None:
    built = build_transform(["paper", "bias"], {"bias": {"strength": 0.2}, "paper": {}})
    assert isinstance(built, Sequence) and built.transforms[1].strength == 0.2
    assert build_transform("noise", {"noise": {"max_sigma": 0.5}}).max_sigma == 0.5
    assert isinstance(build_transform("paper", {"bias": {"strength": 9}}), PaperTransform)


def test_paper_without_strength_leaves_patches_alone(image: Any, labels: Any) -> None:
    built = build_transform("paper", {"paper": {"strength": 0}})
    out, moved = built(image, labels, torch.Generator().manual_seed(0))
    torch.testing.assert_close(out, image)
    assert torch.equal(moved, labels)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_an_unknown_keyword_is_told_with_the_transforms_own(name: str) -> None:
    module = import_module(f"gsema_core.transforms.{name}")
    own = ", ".join(inspect.signature(getattr(module, TRANSFORMS[name])).parameters)
    with pytest.raises(UserError, match=f"{name} has no option 'strenght': use one of {own}\\."):
        build_transform(name, {name: {"strenght": 2}})


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("paper", {"strength": "2"}, "strength of the transform paper is '2': give a number"),
        ("paper", {"strength": -1}, "-1, expected zero or more"),
        ("bias", {"points": 4.5}, "points of the transform bias is 4.5: give a whole number"),
        ("gin", {"probability": 2}, "probability is 2"),
    ],
)
def test_values_are_checked(name: str, options: Any, told: str) -> None:
    with pytest.raises(UserError, match=told):
        build_transform(name, {name: options})


def test_what_meets_the_protocol_is_a_transform(own_module: Any, image: Any, labels: Any) -> None:
    own_module("own_darker", BARE)
    built = build_transform("own_darker:Darker", {"own_darker:Darker": {"by": 0.2}})
    assert isinstance(built, Transform) and not built.needs_donor and not built.moves_voxels
    parameters = built.draw(torch.Generator().manual_seed(0), image)
    again = pickle.loads(pickle.dumps(built)).apply(image, labels, parameters)[0]
    out, moved = built.apply(image, labels, parameters)
    assert torch.equal(out, again) and torch.equal(moved, labels)
    assert 0.8 * image.sum() < out.sum() < image.sum()


def test_it_stands_in_a_row_with_the_programs_own(own_module: Any, image: Any, labels: Any) -> None:
    own_module("own_darkest", BARE)
    built = build_transform(["noise", "own_darkest:Darker"])
    out, _ = built(image, labels, torch.Generator().manual_seed(0))
    assert out.shape == image.shape


def test_a_subclass_is_taken_as_it_is(own_module: Any) -> None:
    own_module(
        "own_subclass",
        """
        from gsema_core.transforms import NoTransform

        class Mine(NoTransform):
            needs_donor = True
        """,
    )
    assert build_transform(
        "own_subclass:Mine", {"own_subclass:Mine": {"probability": 0.5}}
    ).needs_donor


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("class Mine: needs_donor = False", "has no draw_sample, apply_sample, moves_voxels: see"),
        ("Mine = 3", "Mine is 3: give a class or a function"),
        ("def Mine(): return None", "has no draw_sample"),
    ],
)
def test_what_is_no_transform_is_told(own_module: Any, source: str, told: str) -> None:
    own_module("own_wrong", source)
    with pytest.raises(UserError, match=told):
        build_transform("own_wrong:Mine")


def test_an_installed_name_is_found_after_the_programs_own(
    own_module: Any, entry_point: Any
) -> None:
    own_module("own_installed", BARE)
    entry_point("gsema.transforms", "darker", "own_installed:Darker")
    assert isinstance(build_transform("darker"), Sequence)


def test_an_installed_name_cannot_stand_in_for_the_programs_own(entry_point: Any) -> None:
    entry_point("gsema.transforms", "paper", "own_impostor:Darker")
    assert isinstance(build_transform("paper"), PaperTransform)
