"""A teacher's name and card in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slicer.i18n import tr as _

from gsema_core.plugins import is_outside
from gsema_core.teachers.card import TeacherCard
from gsema_core.teachers.registry import DEFAULT, ListedTeacher

LONGEST = 130
"""Letters of one line; a card is free to say more than a panel has room for. Ours."""


def teacherTitle(teacher: ListedTeacher) -> str:
    """As lists of teachers show it."""
    if teacher.name == DEFAULT:
        return _("{name} (bundled)").format(name=teacher.name)
    return teacher.name


def purposeText(card: TeacherCard) -> str:
    """What it is for, in one line."""
    text = _("Segments vessels and aneurysms in voxels of {spacing:g} mm.")
    return text.format(spacing=card.spacing_mm)


def cardText(card: TeacherCard, sha256: str, longest: int = LONGEST) -> str:
    """What it is for, on what it was trained, its scores, its license and which file it is.

    Args:
        card: what the file says about itself.
        sha256: hash of the file, in hexadecimal; its first eight letters are shown.
        longest: letters of one line; with more than the default, all facts are told.
    """
    lines = [
        purposeText(card),
        _training(card.training, longest > LONGEST),
        _("Scores: {facts}.").format(facts=_scores(card.metrics)),
        _("License: {license}. File: {hash}.").format(license=card.license, hash=sha256[:8]),
    ]
    return "\n".join(line if len(line) <= longest else line[: longest - 1] + "…" for line in lines)


def _training(training: Mapping[str, Any], isWhole: bool) -> str:
    """What matters to a reader: the images, how many, from where; then, if wanted, the rest."""
    rest = dict(training)
    first = []
    if data := rest.pop("data", None):
        first.append(str(data))
    for name, text in (("patients", _("{value} patients")), ("cases", _("{value} cases"))):
        if (count := rest.pop(name, None)) is not None:
            first.append(text.format(value=count))
    if isinstance(centers := rest.get("centers"), (list, tuple)):
        del rest["centers"]
        first.append(_("centers {centers}").format(centers=_short(centers)))
    more = _flat(rest) if isWhole or not first else ()
    facts = ", ".join((*first, *more))
    return _("Trained on {facts}.").format(facts=facts) if facts else _("Training: not stated.")


def _scores(metrics: Mapping[str, Any]) -> str:
    """The mean Dice of `gsema teacher score`, saying of what images; other scores as they are."""
    try:
        test = metrics["test"]
        return _("aneurysm Dice {dice:.2f}, mean of {cases} cases ({images} images)").format(
            dice=test["aneurysm"]["dice"]["mean"], cases=test["cases"], images=test["images"]
        )
    except (KeyError, TypeError, ValueError):
        return _facts(metrics)


def _facts(table: Mapping[str, Any]) -> str:
    return ", ".join(_flat(table)) or _("not stated")


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Tables in tables as "name name value", without what is None."""
    for key, value in table.items():
        # Parts from outside (module:Name) stay as they are written.
        name = prefix + (key if is_outside(str(key)) else str(key).replace("_", " "))
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name} ")
        elif value is not None:
            yield f"{name} {_short(value)}"


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, (list, tuple)):
        return " ".join(_short(one) for one in value)
    return str(value)
