"""From label values of other people's files to this project's, by the labels' names."""

from __future__ import annotations

from collections.abc import Mapping

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL

Relabel = tuple[tuple[int, int], ...]
"""Pairs (value in the file, this project's label), rising; empty where the values are ours."""

WORDS = {
    "background": BACKGROUND,
    "aneurysm": ANEURYSM,
    "vessel": VESSEL,
    "vascul": VESSEL,
    "arter": VESSEL,
}
"""What a name contains, whatever its case; the first that fits decides, so that an "aneurysm of a
vessel" is an aneurysm."""

HIGHEST = 255
"""Label maps are kept as uint8."""


def relabel_by_name(names: Mapping[str, tuple[int, ...]], file: str) -> Relabel:
    """Find out which value means what.

    Args:
        names: with their values. Several names may mean one label. A name with several values is
            a region, as nnU-Net has them: the most specific name of a value counts.
        file: that has the names, for messages.

    Returns:
        The pairs, background included; empty where file and project agree.

    Raises:
        UserError: a name says neither vessel nor aneurysm, or a value is no label.
    """
    pairs = {BACKGROUND: BACKGROUND}
    for name in sorted(names, key=lambda name: -len(names[name])):
        label = next((label for word, label in WORDS.items() if word in name.lower()), None)
        if label is None:
            raise UserError(
                f"The label {name!r} in {file} says neither vessel nor aneurysm: give it a name "
                "that does, or remove it."
            )
        for value in names[name]:
            if not 0 <= value <= HIGHEST:
                raise UserError(
                    f"The label {name!r} in {file} has the value {value}: use 0 to 255."
                )
            pairs[value] = label
    if pairs[BACKGROUND] != BACKGROUND:
        raise UserError(f"The value 0 in {file} is no background: keep 0 for what has no label.")
    agree = all(value == label for value, label in pairs.items())
    return () if agree else tuple(sorted(pairs.items()))
