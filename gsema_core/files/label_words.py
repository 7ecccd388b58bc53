"""What the words in names of labels mean: a list that anybody can add to."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM, BACKGROUND, IGNORE, VESSEL

NEITHER = -1
"""The meaning of a word that says: no vessel and no aneurysm, whatever else the name says."""

MEANINGS = {
    "background": BACKGROUND,
    "vessel": VESSEL,
    "aneurysm": ANEURYSM,
    "ignore": IGNORE,
}
"""What a label can be, by the names that lists and commands have for it."""

BUILT_IN = Path(__file__).with_name("label_words.txt")

LARGEST = 2**20
"""Bytes of a word list; ours."""

Words = tuple[tuple[int, tuple[str, ...]], ...]
"""Lines of a word list: a meaning and its words."""


def user_list() -> Path | None:
    """The user's own list, where there may be one; None without a home folder."""
    try:
        return Path.home() / ".gsema" / "label_words.txt"
    except RuntimeError:
        return None


def read_words(path: Path) -> Words:
    """Read a word list; ``label_words.txt`` beside this file says how it is written.

    Raises:
        UserError: it cannot be read, or a line is none of ``meaning: word, word``.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise UserError(
            f"The word list {path} cannot be read ({error}): check that it is a text file (UTF-8)."
        ) from error
    if len(text) > LARGEST:
        raise UserError(f"The word list {path} is larger than a megabyte: it can be no such list.")
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, rest = line.partition(":")
        meaning = {**MEANINGS, "neither": NEITHER}.get(name.strip().casefold())
        words = tuple(word.strip() for word in rest.split(",") if word.strip(" ="))
        if meaning is None or not colon or not words:
            raise UserError(
                f"Line {number} of the word list {path} is {line.strip()!r:.80}: write a meaning "
                f"({', '.join(MEANINGS)} or neither), a colon, and words with commas between them."
            )
        lines.append((meaning, words))
    return tuple(lines)


def meaning_of(name: str, first: Words = ()) -> int | None:
    """What a name means: a label, `NEITHER`, or None where no word of any list is in it.

    Args:
        name: of a label or segment.
        first: lines to look at before the user's own list and the built-in one.

    Raises:
        UserError: the user's list cannot be read.

    >>> [meaning_of(name) for name in ("Anévrisme de l'artère", "Gefäß", "R-ICA", "Segment_1")]
    [2, 1, 1, None]
    """
    plain = plain_name(name)
    alone = " ".join("".join(c if c.isalnum() else " " for c in plain).split())
    for meaning, words in (*first, *own_words(), *_kept(BUILT_IN, 0)):
        for word in words:
            if word.startswith("="):
                if f" {plain_name(word[1:])} " in f" {alone} ":
                    return meaning
            elif plain_name(word) in plain:
                return meaning
    return None


def own_words() -> Words:
    """The lines of the user's own list; none without one."""
    own = user_list()
    try:
        changed = own.stat().st_mtime_ns if own else None
    except OSError:
        changed = None
    return _kept(own, changed) if own and changed is not None else ()


@lru_cache(maxsize=4)
def _kept(path: Path, changed: int) -> Words:
    """A list as it was when it was ``changed`` last."""
    return read_words(path)


@lru_cache(maxsize=4096)
def plain_name(text: str) -> str:
    """Small letters without accents, and without spaces around them."""
    letters = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
