"""Dataclasses from values that somebody wrote, strictly, and back to plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from gsema_core import plugins
from gsema_core.configuration.setting import Setting, settings_of
from gsema_core.errors import UserError

T = TypeVar("T")

LARGEST_INTEGER = 2**53
"""Beyond it, whole numbers of JSON are not exact in every program."""
LARGEST_NUMBER = 1e300
"""JSON's 1e999 becomes an infinity, and its whole numbers may be too large for a float."""


class NotFitting(Exception):
    """A value that a setting cannot have."""


def build(kind: type[T], values: Mapping[str, Any]) -> T:
    """Build a dataclass from a table of names and values.

    Args:
        kind: a dataclass whose ``__post_init__`` calls ``check``. Its class attribute ``place``
            says where its settings are, for messages, as in "in [data]".
        values: the values by the names of the fields; tables for fields that are dataclasses.

    Raises:
        UserError: a name is unknown (a typo must not mean the default) or missing, or ``check``
            refuses a value.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"The settings{_place(kind)} are {short(values)}: give a table.")
    settings = {one.name: one for one in settings_of(kind)}
    for name in values:
        if name not in settings:
            raise UserError(
                f"Unknown setting {short(name)}{_place(kind)}: use one of {', '.join(settings)}."
            )
    for name, one in settings.items():
        if name not in values and one.default is Setting.no_default:
            raise UserError(f"Setting {name}{_place(kind)} is missing: give {one.expected}.")
    return kind(**values)


def check(instance: Any) -> None:
    """Check every field of a dataclass that is being made; call it in ``__post_init__``.

    Lists become tuples, whole numbers become floats and tables become dataclasses where the
    field's type says so.

    Raises:
        UserError: a value is not of its type, out of its range or none of its choices.
    """
    for one in settings_of(type(instance)):
        value = getattr(instance, one.name)
        try:
            object.__setattr__(instance, one.name, checked(one, value))
        except NotFitting:
            raise UserError(
                f"Setting {one.name}{_place(type(instance))} is {short(value)}: give "
                f"{one.expected}."
            ) from None


def checked(one: Setting, value: Any) -> Any:
    """Return the value of a setting, as the type of its field.

    Raises:
        NotFitting: it is not of that type, out of range or none of the choices.
        UserError: the same for something in a table of its own.
    """
    if value is None and one.optional:
        return None
    if not one.is_list:
        return _element(one, one.kind, value)
    if not isinstance(value, list | tuple) or one.count not in (None, len(value)):
        raise NotFitting
    return tuple(_element(one, one.element, each) for each in value)


def plain(value: Any) -> Any:
    """Return the values of a dataclass, also nested ones, as JSON and TOML have them."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def short(value: Any) -> str:
    """A value in a message, however long it is."""
    return repr(value)[:80]


def _element(one: Setting, kind: Any, value: Any) -> Any:
    if is_dataclass(kind):
        return value if isinstance(value, kind) else build(kind, value)  # type: ignore[arg-type]
    if get_origin(kind) is tuple:  # of a fixed length, in a list
        kinds = get_args(kind)
        if not isinstance(value, list | tuple) or len(value) != len(kinds):
            raise NotFitting
        return tuple(_element(one, part, each) for part, each in zip(kinds, value, strict=True))
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and isinstance(value, Integral) and not isinstance(value, bool):
        return int(_in_range(one, value, LARGEST_INTEGER))
    if kind is float and isinstance(value, Real) and not isinstance(value, bool):
        return float(_in_range(one, value, LARGEST_NUMBER))
    if kind is str and isinstance(value, str):
        return _text(one, value)
    if kind is Path and isinstance(value, str | Path):
        return Path(_text(one, str(value)))
    if kind is dict and isinstance(value, dict) and plugins.is_plain(value):
        return value
    raise NotFitting


def _in_range(one: Setting, value: Any, limit: float) -> Any:
    low = -limit if one.low is None else one.low
    high = limit if one.high is None else one.high
    if not low <= value <= high or not math.isfinite(value):
        raise NotFitting
    return value


def _text(one: Setting, text: str) -> str:
    outside = bool(one.part) and text not in one.choices and plugins.is_known(text, one.part)
    if one.choices and text not in one.choices and not outside:
        raise NotFitting
    low = 0 if one.low is None else one.low
    if len(text) < low or (one.high is not None and len(text) > one.high):
        raise NotFitting
    if "\0" in text:
        raise NotFitting
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell
        raise NotFitting from None
    return text


def _place(kind: type) -> str:
    place: str = getattr(kind, "place", "")
    return f" {place}" if place else ""
