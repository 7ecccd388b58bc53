"""From label values of other people's files to this project's, by the labels' names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gsema_core.errors import UserError
from gsema_core.files.label_rules import NO_RULES, LabelRules, Relabel
from gsema_core.files.label_words import NEITHER
from gsema_core.labels import ANEURYSM, BACKGROUND, IGNORE, VESSEL


class NamedValues(NamedTuple):
    """What the values of a label map mean by their names.

    Attributes:
        relabel: the pairs, background included; empty where file and project agree.
        dropped: names that say neither vessel nor aneurysm; their voxels become background.
    """

    relabel: Relabel
    dropped: tuple[str, ...] = ()


def says_neither(name: str, file: str) -> UserError:
    """The refusal of a label whose name cannot be told."""
    return UserError(
        f"The label {name!r} in {file} says neither vessel nor aneurysm, and not both are told by "
        f"other labels: say what it is (--label vessel={name!r}, or aneurysm, background or "
        "ignore), give it a name that does, or remove it."
    )


def both_told(labels: Sequence[int | None]) -> bool:
    """Whether vessel and aneurysm are among the labels, so that any other name is neither."""
    return {VESSEL, ANEURYSM} <= {*labels}


def dropped_note(names: Sequence[str], file: str) -> str:
    """The sentence on labels that are taken as background; empty where there are none."""
    if not names:
        return ""
    quoted = ", ".join(repr(name) for name in names)
    return (
        f"In {file} {quoted} {'is' if len(names) == 1 else 'are'} neither vessel nor aneurysm and "
        "taken as background."
    )


def relabel_by_name(
    names: Mapping[str, tuple[int, ...]], file: str, rules: LabelRules = NO_RULES
) -> NamedValues:
    """Find out which value means what.

    Args:
        names: with their values. Several names may mean one label. A name with several values is
            a region, as nnU-Net has them: the most specific name of a value counts.
        file: that has the names, for messages.
        rules: what the user said; they win over the words in names.

    Raises:
        UserError: a name says neither vessel nor aneurysm where another label does not say so
            for both, 0 is no background, or the value to ignore is not the highest (nnU-Net).
    """
    labels: dict[str, int | None] = {}
    for name, values in names.items():
        label = rules.label_of(name, values[0] if len(values) == 1 else None)
        labels[name] = None if label == NEITHER else label
    pairs: dict[float, int] = {BACKGROUND: BACKGROUND}
    for name in sorted(names, key=lambda name: -len(names[name])):
        label = labels[name]
        if label is not None:
            pairs |= dict.fromkeys(names[name], label)
    if pairs[BACKGROUND] != BACKGROUND:
        raise UserError(f"The value 0 in {file} is no background: keep 0 for what has no label.")
    dropped = []
    for name, values in names.items():
        untold = [value for value in values if value not in pairs]
        if labels[name] is None and untold:
            if not both_told([*pairs.values()]):
                raise says_neither(name, file)
            pairs |= dict.fromkeys(untold, BACKGROUND)
            dropped.append(name)
    _check_ignored(names, labels, file)
    agree = all(value == label for value, label in pairs.items())
    return NamedValues(() if agree else tuple(sorted(pairs.items())), tuple(dropped))


def _check_ignored(
    names: Mapping[str, tuple[int, ...]], labels: Mapping[str, int | None], file: str
) -> None:
    """nnU-Net's label to ignore is the highest; another value would be a mistake in the file."""
    highest = max((max(values) for values in names.values()), default=BACKGROUND)
    for name, values in names.items():
        if name == "ignore" and labels[name] == IGNORE and values != (highest,):
            raise UserError(
                f"The label 'ignore' in {file} has the value {values[0]}, and the highest is "
                f"{highest}: give 'ignore' the highest value, as nnU-Net has it."
            )
