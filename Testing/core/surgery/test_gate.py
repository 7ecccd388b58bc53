from __future__ import annotations

import math

import pytest
import torch

from gsema_core.surgery import Gate, gradient_similarity

EAST, NORTH = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
BETWEEN = torch.tensor([1.0, 1.0])


@pytest.mark.parametrize(
    ("a", "b", "cosine"),
    [
        (EAST, EAST, 1.0),
        (EAST, 5 * EAST, 1.0),
        (EAST, -EAST, -1.0),
        (EAST, NORTH, 0.0),
        (EAST, BETWEEN, math.sqrt(0.5)),
        (EAST, torch.zeros(2), 0.0),
    ],
)
def test_cosine(a, b, cosine):
    assert gradient_similarity(a, b) == pytest.approx(cosine, abs=1e-6)


def test_sign_cosine_gives_every_component_one_vote():
    """One huge component agrees, two small ones conflict."""
    a, b = torch.tensor([100.0, 1.0, 1.0]), torch.tensor([100.0, -1.0, -1.0])
    assert gradient_similarity(a, b) > 0.99
    assert gradient_similarity(a, b, "sign_cosine") == pytest.approx(-1 / 3)


def test_unknown_similarity_is_refused():
    with pytest.raises(ValueError, match="'angle'"):
        gradient_similarity(EAST, EAST, "angle")


@pytest.mark.parametrize(
    ("target", "aligned", "alpha"),
    [(EAST, True, 0.9), (NORTH, False, 1.0), (-EAST, False, 1.0), (BETWEEN, True, 0.9)],
)
def test_gate_opens_below_90_degrees(target, aligned, alpha):
    decision = Gate(0.9, 1.0).decide(EAST, target)
    assert (decision.aligned, decision.alpha, decision.finite) == (aligned, alpha, True)


def test_algorithm_1_as_printed_is_the_opposite():
    printed = Gate(alpha_aligned=1.0, alpha_conflict=0.9)
    assert printed.decide(EAST, EAST).alpha == 1.0
    assert printed.decide(EAST, -EAST).alpha == 0.9


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("kind", ["cosine", "sign_cosine"])
def test_a_gradient_that_is_not_finite_never_opens_the_gate(bad, kind):
    decision = Gate(0.9, 0.999, kind).decide(EAST, torch.tensor([bad, 1.0]))
    assert not decision.finite
    assert decision.alpha == 1.0
