"""Parts from outside: transforms, losses, networks, presets and benchmark rows of somebody else.

A part is named ``package.module:Name``, or by the name of an entry point that an installed package
offers. Only what a user names is ever imported, and the program's own names come first.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsema_core.errors import UserError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUPS = {
    "transform": "gsema.transforms",
    "loss": "gsema.losses",
    "network": "gsema.networks",
    "preset": "gsema.presets",
    "row": "gsema.rows",
}
"""The kinds of parts, and the groups of their entry points."""

FORM = "package.module:Name"

_OUTSIDE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_ANNOTATED = {
    "bool": (bool, "true or false"),
    "int": (Integral, "a whole number"),
    "float": (Real, "a number"),
    "str": (str, "a text"),
}
"""Annotations of keywords that are checked, and what to say where the value is another."""


def is_outside(name: str) -> bool:
    """Whether it has the form ``package.module:Name``; nothing is imported to tell."""
    return _OUTSIDE.fullmatch(name) is not None


def outside_names(values: Any) -> list[str]:
    """What a configuration's tables name of that form, as values or as tables; each once."""
    if isinstance(values, Mapping):
        values = [*values, *values.values()]
    if isinstance(values, list | tuple):
        return list(dict.fromkeys(name for each in values for name in outside_names(each)))
    return [values] if isinstance(values, str) and is_outside(values) else []


def make_importable(folder: Path) -> None:
    """Let the modules in a folder be imported, after everything that is installed."""
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.append(place)


def installed(kind: str) -> dict[str, EntryPoint]:
    """The entry points for parts of a kind, by name; nothing is imported.

    Raises:
        UserError: two packages offer the same name.
    """
    from importlib import metadata  # takes as long as all else here, and is seldom needed

    found: dict[str, EntryPoint] = {}
    for each in metadata.entry_points(group=GROUPS[kind]):
        if found.setdefault(each.name, each).value != each.value:
            raise UserError(
                f"Two installed packages offer a {kind} named {each.name} ({each.value} and "
                f"{found[each.name].value}): name the one you mean as {FORM}."
            )
    return found


def is_known(name: str, kind: str) -> bool:
    """Whether `find` would look for it outside: by its form, or because it is installed."""
    return is_outside(name) or name in installed(kind)


def find(name: str, kind: str, built_in: Iterable[str] = ()) -> Any:
    """Import what a name stands for.

    The current folder's modules can be imported too.

    Args:
        name: ``package.module:Name`` or an entry point's name.
        kind: of ``GROUPS``.
        built_in: the program's own names, for the message.

    Raises:
        UserError: there is no such part, or it cannot be imported.

    Example:
        >>> find("fractions:Fraction", "loss")
        <class 'fractions.Fraction'>
    """
    if is_outside(name):
        module, attribute = name.split(":")
    else:
        entry_points = installed(kind)
        if name not in entry_points:
            known = ", ".join(dict.fromkeys([*built_in, *entry_points]))
            raise UserError(f"The {kind} {name[:80]!r} is unknown: use one of {known}, or {FORM}.")
        module, attribute = entry_points[name].module, entry_points[name].attr
    make_importable(Path())
    try:
        found = importlib.import_module(module)
    except Exception as error:
        raise UserError(
            f"The {kind} {name} cannot be imported ({type(error).__name__}: {error}): its module "
            "must be installed, or be a file beside the configuration or in the current folder."
        ) from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            place = getattr(found, "__file__", None) or module
            raise UserError(f"The {kind} {name} is missing: {place} has no {part}.")
        found = getattr(found, part)
    return found


def make(name: str, kind: str, factory: Any, options: Mapping[str, Any], *arguments: Any) -> Any:
    """Call what makes a part; its options are keywords.

    Args:
        name: for messages.
        kind: of ``GROUPS``, likewise.
        factory: a class or function.
        options: what the configuration's table for it says.
        arguments: what it is called with before its options.

    Raises:
        UserError: it cannot be called so; an unknown option is told with the part's own ones.
    """
    if not callable(factory):
        raise UserError(f"The {kind} {name} is {factory!r:.80}: give a class or a function.")
    _check_options(name, kind, factory, options, len(arguments))
    try:
        return factory(*arguments, **options)
    except UserError:
        raise
    except (TypeError, ValueError) as error:
        given = f" with {dict(options)}" if options else ""
        raise UserError(f"The {kind} {name} cannot be made{given}: {error}.") from error


def check_protocol(part: Any, protocol: type, name: str, kind: str) -> None:
    """Make sure that a part has what its protocol names.

    Raises:
        UserError: says what is missing.
    """
    wanted = [each for each in vars(protocol) if not each.startswith("_") or each == "__call__"]
    wanted += [each for each in protocol.__annotations__ if each not in wanted]
    missing = [each for each in wanted if not hasattr(part, each)]
    if missing:
        raise UserError(
            f"The {kind} {name} has no {', '.join(missing)}: see "
            f"{protocol.__module__}.{protocol.__qualname__} for what it must have."
        )


def is_plain(value: Any) -> bool:
    """Whether a table of options can be stored in a card: numbers, texts, lists and tables."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _check_options(
    name: str, kind: str, factory: Callable[..., Any], options: Mapping[str, Any], first: int
) -> None:
    try:
        parameters = list(inspect.signature(factory).parameters.values())[first:]
    except (TypeError, ValueError):  # some of C's tell nothing
        return
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = {each.name: each for each in parameters if each.kind in by_name}
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
    for option, value in options.items():
        if option not in own and not takes_any:
            use = f"use one of {', '.join(own)}" if own else "it has none"
            raise UserError(f"The {kind} {name} has no option {option[:80]!r}: {use}.")
        _check_type(f"Option {option} of the {kind} {name}", own.get(option), value)


def _check_type(what: str, parameter: inspect.Parameter | None, value: Any) -> None:
    """Numbers, texts and truth values must be what the keyword's annotation says."""
    annotation = getattr(parameter, "annotation", None)
    wanted = _ANNOTATED.get(str(getattr(annotation, "__name__", annotation)))
    if wanted is None:
        return
    kind, words = wanted
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise UserError(f"{what} is {value!r:.80}: give {words}.")
