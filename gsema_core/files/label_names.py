"""From label values of other people's files to this project's, by the labels' names."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL

Relabel = tuple[tuple[int, int], ...]
"""Pairs (value in the file, this project's label), rising; empty where the values are ours."""

WORDS = {
    BACKGROUND: "background",
    ANEURYSM: "aneurysm aneurism anevri anevry 動脈瘤 动脉瘤 동맥류 аневризм",
    VESSEL: "vessel vascul arter gefass vaisseau vaso 血管 動脈 动脉 혈관 сосуд",
}
"""What a name contains, whatever its case and accents; the first that fits decides, so that an
"aneurysm of a vessel" is an aneurysm."""

HIGHEST = 255
"""Label maps are kept as uint8."""


def label_by_name(name: str) -> int | None:
    """This project's label that a name means, or None.

    >>> label_by_name("Anévrisme de l'artère"), label_by_name("Gefäß"), label_by_name("Segment_1")
    (2, 1, None)
    """
    plain = _plain(name)
    for label, words in WORDS.items():
        if any(_plain(word) in plain for word in words.split()):
            return label
    return None


def _plain(text: str) -> str:
    """Small letters without accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def says_neither(name: str, file: str) -> UserError:
    """The refusal of a label whose name cannot be told."""
    return UserError(
        f"The label {name!r} in {file} says neither vessel nor aneurysm: give it a name "
        "that does, or remove it."
    )


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
        label = label_by_name(name)
        if label is None:
            raise says_neither(name, file)
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
