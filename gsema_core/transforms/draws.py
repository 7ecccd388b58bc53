"""Random numbers as plain Python values, so that drawn parameters can be read and stored."""

from __future__ import annotations

import math

import torch

from gsema_core.errors import UserError


def uniform(generator: torch.Generator, low: float, high: float) -> float:
    """Return a number between ``low`` and ``high``."""
    return low + (high - low) * _unit(generator)


def log_uniform(generator: torch.Generator, low: float, high: float) -> float:
    """Return a positive number whose logarithm is uniform, so that halves match doubles."""
    return math.exp(uniform(generator, math.log(low), math.log(high)))


def chance(generator: torch.Generator, probability: float) -> bool:
    """Return True with the given probability; one number is drawn in any case."""
    return _unit(generator) < probability


def fresh_seed(generator: torch.Generator) -> int:
    """Return a seed that stands for a tensor too large to record."""
    high = 2**31 - 1
    return int(torch.randint(high, (), generator=generator, device=generator.device))


def not_negative(name: str, value: float) -> float:
    """Return ``value``, a strength for which zero means "leave the image alone".

    Raises:
        UserError: it is negative or not a number.
    """
    if not value >= 0.0:
        raise UserError(f"The {name} is {value}, expected zero or more: choose 0 to turn it off.")
    return value


def _unit(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator, device=generator.device))
