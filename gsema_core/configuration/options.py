"""Settings as options of the command line."""

from __future__ import annotations

import argparse
from typing import Any

from gsema_core.configuration.setting import Setting, settings_of

_METAVARS = {int: "N", float: "X", str: "TEXT"}


def option_of(one: Setting) -> str:
    """The option that sets it, as it is typed."""
    return "--" + (one.option or one.name.replace("_", "-"))


def add_options(parser: argparse.ArgumentParser, kind: type) -> None:
    """Add an option for every setting of a dataclass that has a group, under its heading.

    An option that is not given is None; the default is stated on the field alone.
    """
    groups: dict[str, Any] = {}
    for one in settings_of(kind):
        if not one.group:
            continue
        group = groups.get(one.group) or parser.add_argument_group(one.group)
        groups[one.group] = group
        help = f"{_uncapitalized(one.help)} (default: {_default(one)})".replace("%", "%%")
        if one.kind is bool:
            action = argparse.BooleanOptionalAction
            group.add_argument(option_of(one), dest=one.name, action=action, help=help)
        else:
            metavar = one.unit.upper() or "|".join(one.choices) or _METAVARS[one.element]
            group.add_argument(
                option_of(one),
                dest=one.name,
                metavar=metavar,
                type=one.element if one.element in (int, float) else str,
                nargs="+" if one.is_list else None,
                help=help,
            )


def chosen_options(arguments: argparse.Namespace, kind: type) -> dict[str, Any]:
    """What was given of the options that ``add_options`` made, by the settings' names."""
    chosen = [one.name for one in settings_of(kind) if one.group]
    values = {name: getattr(arguments, name, None) for name in chosen}
    return {name: value for name, value in values.items() if value is not None}


def _default(one: Setting) -> str:
    if one.kind is bool:
        return "yes" if one.default else "no"
    if one.default in (None, ()):
        return one.none
    return f"{one.default:g}" if isinstance(one.default, float) else str(one.default)


def _uncapitalized(sentence: str) -> str:
    """As argparse's own texts: no capital at the start, no period at the end."""
    word = sentence.split()[0]
    is_acronym = len(word) > 1 and word.isupper()
    start = sentence[:1] if is_acronym else sentence[:1].lower()
    return start + sentence[1:].removesuffix(".")
