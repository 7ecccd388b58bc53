"""JSON from files that somebody else made."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

MAXIMUM_DEPTH = 8
"""Levels of nesting that a teacher's card may have. Our choice; ours have three."""


def parse_json(text: str | bytes) -> Any:
    """Parse JSON strictly: no repeated key, no NaN or infinity, no deep nesting.

    Raises:
        ValueError: with a reason that fits after "the metadata".
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_int=_short_integer,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON ({error.msg} at character {error.pos})") from None
    _check_plain(value, MAXIMUM_DEPTH)
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("has a key twice")
    return result


def _short_integer(digits: str) -> int:
    if len(digits) > 20:  # 64 bits; Python takes quadratic time for very long ones
        raise ValueError("has a number that is too large")
    return int(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"has the value {name}, which is not a number")


def _check_plain(value: Any, depth: int) -> None:
    if depth < 0:
        raise ValueError("is nested too deeply")
    if isinstance(value, float) and not math.isfinite(value):  # 1e999 parses to infinity
        raise ValueError("has a number that is too large")
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, (dict, list)):
        for child in children:
            _check_plain(child, depth - 1)
