"""What a user says of the labels in files: names and values that are vessel, aneurysm, ignored."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.label_words import (
    MEANINGS,
    NEITHER,
    Words,
    meaning_of,
    plain_name,
    read_words,
)
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL

Relabel = tuple[tuple[float, int], ...]
"""Pairs (value in the file, this project's label), rising; empty where the values are ours."""

LARGEST_VALUE = 2**31
"""Label values beyond this are no label's: our choice."""

MOST_VALUES = 10_000
"""Of a range of values; ours."""

_WORDS = "words"
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})")


@dataclass(frozen=True)
class LabelRules:
    """What names and values of labels mean, before any word list is asked.

    Attributes:
        names: whole names, whatever their case and accents, and the label of each.
        values: of label maps whose values have no names.
        words: lines of a word list that are looked at first.

    Example:
        >>> rules = LabelRules.from_options(["aneurysm=IA dome,3", "vessel=Lumen,ICA,255"])
        >>> rules.label_of("ia dome"), rules.label_of("Lumen"), rules.relabel
        (2, 1, ((0, 0), (3, 2), (255, 1)))
    """

    names: tuple[tuple[str, int], ...] = ()
    values: Relabel = ()
    words: Words = ()

    def __bool__(self) -> bool:
        return bool(self.names or self.values or self.words)

    @property
    def relabel(self) -> Relabel:
        """The pairs for a label map without names; empty where no value was said.

        Where only what is no vessel and no aneurysm was said, such as ``ignore=4``, 1 and 2 keep
        their meaning.
        """
        said = dict(self.values)
        all_said = not {VESSEL, ANEURYSM}.isdisjoint(said.values())
        usual = () if all_said else (VESSEL, ANEURYSM)
        pairs = {**{label: label for label in (BACKGROUND, *usual)}, **said}
        return tuple(sorted(pairs.items())) if said else ()

    def label_of(self, name: str, value: float | None = None) -> int | None:
        """A label, `NEITHER`, or None where nothing tells it.

        Args:
            name: of a label or segment.
            value: that it has in the file, which counts where the name says nothing.
        """
        whole = {plain_name(each): label for each, label in self.names}
        if plain_name(name) in whole:
            return whole[plain_name(name)]
        label = meaning_of(name, self.words)
        return dict(self.values).get(value) if label is None and value is not None else label

    def over(self, others: LabelRules) -> LabelRules:
        """These rules, and others' for what these say nothing of."""
        names = {plain_name(name): (name, label) for name, label in (*others.names, *self.names)}
        values = {**dict(others.values), **dict(self.values)}
        return LabelRules(
            tuple(names.values()), tuple(sorted(values.items())), self.words + others.words
        )

    @classmethod
    def from_options(cls, texts: Sequence[str], words: Path | None = None) -> LabelRules:
        """From ``aneurysm=IA dome,3`` of a command line: names, values and ranges of values.

        Args:
            texts: the options.
            words: a word list to look at before others.

        Raises:
            UserError: one is nothing of this kind, or says two things of one name or value.
        """
        document: dict[str, list[Any]] = {}
        for text in texts:
            meaning, _, rest = text.partition("=")
            parts = [part.strip() for part in rest.split(",") if part.strip()]
            if meaning.strip() not in MEANINGS or not parts:
                raise UserError(
                    f"--label {text!r} says nothing of a label: write for example "
                    "--label aneurysm='IA dome,3' or --label vessel=1-15; known are "
                    f"{', '.join(MEANINGS)}."
                )
            document.setdefault(meaning.strip(), []).extend(map(_number_or_name, parts))
        rules = cls.from_entry(document, "what --label says")
        lines = () if words is None else read_words(words)
        return cls(rules.names, rules.values, lines)

    @classmethod
    def from_entry(cls, document: Any, place: str) -> LabelRules:
        """From a datalist's ``labels``: ``{"aneurysm": ["IA dome", 3], "vessel": ["Lumen"]}``.

        A text is a name, a number a value, and a text such as ``"1-15"`` a range of values. Under
        ``words`` may stand lines of a word list, ``[["aneurysm", "anurisma"], ...]``.

        Args:
            document: the entry as JSON has it.
            place: where it stands, for messages.

        Raises:
            UserError: it is nothing of this kind, or says two things of one name or value.
        """
        wrong = UserError(
            f"In {place} the labels are {document!r:.200}: give for example "
            '{"aneurysm": ["IA dome", 3], "vessel": ["Lumen", 255]}; known are '
            f"{', '.join(MEANINGS)} and words."
        )
        if not isinstance(document, Mapping) or not {*document} <= {*MEANINGS, _WORDS}:
            raise wrong
        names: dict[str, tuple[str, int]] = {}
        values: dict[float, int] = {}
        for meaning, label in MEANINGS.items():
            entries = document.get(meaning, [])
            for entry in entries if isinstance(entries, list) else [entries]:
                if isinstance(entry, str) and not _RANGE.fullmatch(entry.strip()):
                    if not entry.strip():
                        raise wrong
                    known = names.setdefault(plain_name(entry), (entry.strip(), label))[1]
                    if known != label:
                        raise _twice(entry, place)
                    continue
                for value in _values(entry, wrong):
                    if values.setdefault(value, label) != label or (not value and label):
                        raise _twice(value, place)
        values.pop(BACKGROUND, None)
        pairs = tuple(sorted(values.items()))
        return cls(tuple(names.values()), pairs, _lines(document.get(_WORDS, []), wrong))

    def to_entry(self) -> dict[str, Any]:
        """As a datalist has it; `from_entry` takes it back."""
        entry: dict[str, Any] = {}
        for meaning, label in MEANINGS.items():
            own = [each for each, known in (*self.names, *self.values) if known == label]
            if own:
                entry[meaning] = own
        by_label = {label: meaning for meaning, label in MEANINGS.items()}
        if self.words:
            entry[_WORDS] = [
                [by_label.get(meaning, "neither"), *words] for meaning, words in self.words
            ]
        return entry


NO_RULES = LabelRules()
"""Nothing was said: the values are ours, names are told by the word lists."""


def _number_or_name(text: str) -> float | str:
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    return int(number) if number.is_integer() else number


def _values(entry: Any, wrong: UserError) -> Iterator[float]:
    """The values that an entry names: a number, or a range as a text."""
    if isinstance(entry, str):
        found = _RANGE.fullmatch(entry.strip())
        assert found is not None  # the caller looked
        first, last = int(found[1]), int(found[2])
        if not 0 <= last - first < MOST_VALUES:
            raise wrong
        yield from range(first, last + 1)
    elif isinstance(entry, bool) or not isinstance(entry, int | float):
        raise wrong
    elif math.isfinite(entry) and abs(entry) <= LARGEST_VALUE:
        yield int(entry) if float(entry).is_integer() else entry
    else:
        raise wrong


def _lines(entries: Any, wrong: UserError) -> Words:
    meanings = {**MEANINGS, "neither": NEITHER}
    if not isinstance(entries, list):
        raise wrong
    lines = []
    for entry in entries:
        texts = isinstance(entry, list) and all(isinstance(each, str) and each for each in entry)
        if not texts or len(entry) < 2 or entry[0] not in meanings:
            raise wrong
        lines.append((meanings[entry[0]], tuple(entry[1:])))
    return tuple(lines)


def _twice(what: float | str, place: str) -> UserError:
    told = "0, which is always background," if what == 0 else repr(what)
    return UserError(f"In {place} {told} has two meanings: keep one of them.")
