"""Make a field of a configuration, with everything that is said about the setting."""

from __future__ import annotations

import types
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from gsema_core import plugins

_KEY = "setting"
_WORDS = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}
_WORDS |= {Path: "a path", dict: "a table"}
_MANY: dict[Any, str] = {float: "numbers", int: "whole numbers", str: "texts"}
_MANY |= {tuple[float, float, float]: "points of 3 numbers"}


@dataclass(frozen=True)
class Setting:
    """One field of a configuration.

    Attributes:
        name: the field's, in snake_case.
        kind: bool, int, float, str, Path, dict, a tuple of one of these, or a dataclass.
        optional: whether None is allowed.
        default: the default; ``MISSING`` if a value must be given.
        help: what it does, in one or two sentences.
        title: the name for people; ``label`` adds the unit.
        unit: mm, s, %...; empty for none.
        low: the least value, for texts the least length; None for no limit.
        high: the largest value or length; None for no limit.
        choices: the texts that are allowed; empty if any text is.
        step: how much a click on an arrow changes a number; None if it is typed.
        none: what None means, in a word or two.
        source: where the default comes from: the paper, a measurement, or ``ours``.
        option: the name on the command line, without dashes, if it is not the field's.
        group: its heading; empty for settings that nobody chooses by hand.
        whole_scan: whether it only has a meaning for whole scans, and none at a click.
        decides: whether results depend on it; they do not depend on the number of threads.
        part: the kind of ``plugins.GROUPS`` if parts of your own may be named beside the choices.
    """

    name: str
    kind: Any
    optional: bool
    default: Any
    help: str = ""
    title: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    step: float | None = None
    none: str = "none"
    source: str = "ours"
    option: str = ""
    group: str = ""
    whole_scan: bool = False
    decides: bool = True
    part: str = ""

    no_default: ClassVar[Any] = MISSING

    @property
    def label(self) -> str:
        """The title with its unit, to be shown before a value."""
        title = self.title or self.name.replace("_", " ").capitalize()
        return f"{title} ({self.unit})" if self.unit else title

    @property
    def element(self) -> Any:
        """The type of a list's elements; for anything else, its own type."""
        return get_args(self.kind)[0] if get_origin(self.kind) is tuple else self.kind

    @property
    def count(self) -> int | None:
        """How many elements a list must have; None for any number."""
        arguments = get_args(self.kind)
        return None if not arguments or arguments[-1] is Ellipsis else len(arguments)

    @property
    def is_list(self) -> bool:
        return get_origin(self.kind) is tuple

    @property
    def expected(self) -> str:
        """Which values are allowed, in words."""
        if self.choices:
            outside = (plugins.FORM,) if self.part else ()
            which = "a list of any of" if self.is_list else "one of"
            words = f"{which} {', '.join((*self.choices, *outside))}"
        elif self.is_list:
            count = "a list of" if self.count is None else str(self.count)
            words = f"{count} {_MANY.get(self.element, 'values')}{self._limits()}"
        else:
            words = _WORDS.get(self.kind, "a table") + self._limits()
        return f"{words}, or {self.none}" if self.optional else words

    def _limits(self) -> str:
        low, high = self.low, self.high
        if self.element is str:
            return "" if high is None else f" of at most {high:g} characters"
        if low is None or high is None:
            return ""
        return f" from {low:g} to {high:g}"


def setting(default: Any = MISSING, help: str = "", **facts: Any) -> Any:
    """A dataclass field that is a setting.

    Args:
        default: its value where none is given; left out, one must be given.
        help: what it does.
        facts: the other attributes of ``Setting``: title, unit, low, high, choices, source...
    """
    return field(default=default, metadata={_KEY: {"help": help, **facts}})


def settings_of(kind: type) -> tuple[Setting, ...]:
    """The settings of a dataclass, in its order; fields without ``setting`` have their type."""
    return _settings_of(kind)


@cache
def _settings_of(kind: Any) -> tuple[Setting, ...]:
    hints = get_type_hints(kind)
    found = []
    for one in fields(kind):
        own, optional = _without_none(hints[one.name])
        default = one.default if one.default_factory is MISSING else one.default_factory()
        found.append(Setting(one.name, own, optional, default, **one.metadata.get(_KEY, {})))
    return tuple(found)


def _without_none(hint: Any) -> tuple[Any, bool]:
    """A type and whether None is allowed beside it."""
    if get_origin(hint) not in (Union, types.UnionType):
        return (get_origin(hint) if get_origin(hint) is dict else hint), False
    others = [one for one in get_args(hint) if one is not type(None)]
    return others[0], len(others) < len(get_args(hint))
