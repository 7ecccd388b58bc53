"""The list of labelled cases: a JSON file with image, label, patient and center of each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.atomic import is_there
from gsema_core.files.label_rules import LARGEST_VALUE, NO_RULES, LabelRules, Relabel
from gsema_core.files.text_files import read_json, write_json
from gsema_core.labels import BACKGROUND, CLASSES, IGNORE

_FIELDS = ("patient", "center", "image", "label")
_KEYS = ("cases", "description", "labels")
_CASE_KEYS = (*_FIELDS, "use", "relabel", "labels")
USES = ("", "training", "validation", "test")


@dataclass(frozen=True)
class Case:
    """One labelled scan.

    Attributes:
        patient: whose scan it is; a patient is never in two parts of a split.
        center: the domain, in the paper's words.
        image: the file of the scan.
        label: the file of the label map, on the same grid.
        use: training, validation or test; empty leaves it to the run (`split_by_patient`).
        relabel: what the label map's values mean, if they are not 0, 1 and 2 (`read_case`).
        labels: what names and values of its label map mean, as the user said.
        dropped: names in the description of its dataset that are neither vessel nor aneurysm.
    """

    patient: str
    center: str
    image: Path
    label: Path
    use: str = ""
    relabel: Relabel = ()
    labels: LabelRules = NO_RULES
    dropped: tuple[str, ...] = ()


def read_datalist(path: str | Path, check_files: bool = True) -> list[Case]:
    """Read ``{"cases": [{"patient", "center", "image", "label"}, ...]}``.

    The list may say what labels mean, ``"labels": {"aneurysm": ["IA dome", 3]}`` (see
    `LabelRules.from_entry`), and so may a case, which then counts instead. A case may say its
    ``use``, and as ``relabel`` what the values of its label map mean: ``[[value, label], ...]``,
    with the label 255 for voxels to ignore. Relative file names start at the list's own folder.

    Args:
        path: the list.
        check_files: refuse a list with files that do not exist; otherwise reading them fails.

    Raises:
        UserError: the list is missing, is not such a list, names a file that does not exist or an
            image twice, or has a patient for two uses.
    """
    path = Path(path)
    document = read_json(path, "datalist")
    entries = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise UserError(
            f'The datalist {path} has no cases: expected {{"cases": [{{"patient": ..., '
            '"center": ..., "image": ..., "label": ...}, ...]}.'
        )
    _check_keys(document, _KEYS, f"The datalist {path}")
    rules = _rules(document, f"the datalist {path}", NO_RULES)
    cases = [_case(path, number, entry, rules) for number, entry in enumerate(entries, start=1)]
    if check_files:
        _check_files(path, cases)
    check_patients(path, cases)
    return cases


def write_datalist(
    cases: Iterable[Case], path: str | os.PathLike[str], description: str = ""
) -> None:
    """Write the list of these cases, in their order; ``read_datalist`` reads the same cases back.

    Files below the list's own folder are named relative to it, so that both can move together;
    others by their whole path.

    Raises:
        UserError: a name is no text, or the list could not be written; an older one is then
            unchanged.
    """
    folder, cases = Path(path).parent, list(cases)
    document: dict[str, Any] = {"description": description} if description else {}
    common = cases[0].labels if len({case.labels for case in cases}) == 1 else NO_RULES
    if common:
        document["labels"] = common.to_entry()
        cases = [replace(case, labels=NO_RULES) for case in cases]
    document["cases"] = [case_entry(case, folder) for case in cases]
    write_json(document, path)


def case_entry(case: Case, folder: Path | None = None) -> dict[str, Any]:
    """A case as its datalist has it.

    Args:
        case: the case.
        folder: that of the list; None names every file by its whole path with no link in it, as
            for a list that may lie anywhere.

    Raises:
        UserError: a name is no text, as those of files may be.
    """
    entry: dict[str, Any] = {
        "patient": case.patient,
        "center": case.center,
        "image": _named(case.image, folder),
        "label": _named(case.label, folder),
    }
    for value in entry.values():
        if not _is_text(value):
            raise UserError(
                f"The name {value!r} cannot stand in a datalist, as it is no text (UTF-8): rename "
                "the file or folder."
            )
    if case.use:
        entry["use"] = case.use
    if case.relabel:
        entry["relabel"] = [list(pair) for pair in case.relabel]
    if case.labels:
        entry["labels"] = case.labels.to_entry()
    return entry


def _named(file: Path, folder: Path | None) -> str:
    if folder is None:
        return str(file.resolve())
    absolute = file.absolute()
    try:
        return absolute.relative_to(folder.absolute()).as_posix()
    except ValueError:
        return str(absolute)


def _check_files(path: Path, cases: Sequence[Case]) -> None:
    for number, case in enumerate(cases, start=1):
        for what, file in (("image", case.image), ("label", case.label)):
            if not is_there(file):
                raise UserError(
                    f"The {what} {file} of case {number} in {path} does not exist: correct the "
                    "list, or put the file there."
                )


def _check_keys(entry: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    """A key that nobody reads would be a wish that nobody hears."""
    for key in entry:
        if key not in known:
            near = get_close_matches(key.lower(), known, 1)
            meant = f"write {near[0]!r} if that is meant, or " if near else ""
            raise UserError(
                f"{what} has the unknown key {key!r} (known are {', '.join(known)}): "
                f"{meant}leave it out."
            )


def check_patients(path: Path, cases: Sequence[Case]) -> None:
    """Make sure that no patient can end up on two sides.

    Raises:
        UserError: a patient has cases of different uses, an image is there twice, or a label map
            under two patients' names.
    """
    uses: dict[str, str] = {}
    numbers: dict[str, int] = {}
    owners: dict[str, Case] = {}
    for number, case in enumerate(cases, start=1):
        if uses.setdefault(case.patient, case.use) != case.use:
            raise UserError(
                f"Patient {case.patient!r} of {path} has cases of different use: give all of a "
                "patient's cases the same."
            )
        if os.path.realpath(case.image) == os.path.realpath(case.label):
            raise UserError(
                f"Case {number} of {path} has one file as image and as label map ({case.image}): "
                "correct one."
            )
        first = numbers.setdefault(os.path.realpath(case.image), number)
        if first != number:
            raise UserError(
                f"The image {case.image} is that of case {first} and of case {number} in {path}: "
                "list it once."
            )
        other = owners.setdefault(os.path.realpath(case.label), case).patient
        if other != case.patient:
            raise UserError(
                f"The label map {case.label} is that of patient {other!r} and of patient "
                f"{case.patient!r} in {path}: give each patient their own."
            )


def _case(path: Path, number: int, entry: Any, rules: LabelRules) -> Case:
    if isinstance(entry, dict):
        _check_keys(entry, _CASE_KEYS, f"Case {number} of {path}")
    if not isinstance(entry, dict) or not all(_is_text(entry.get(name)) for name in _FIELDS):
        raise UserError(
            f"Case {number} of {path} needs the texts {', '.join(_FIELDS)}: complete it."
        )
    files = {name: path.parent / entry[name] for name in ("image", "label")}
    use = entry.get("use", "")
    if use not in USES:
        raise UserError(
            f"Case {number} of {path} has the use {use!r}: give training, validation or test, or "
            "leave it out."
        )
    return Case(
        entry["patient"],
        entry["center"],
        files["image"],
        files["label"],
        use,
        _relabel(path, number, entry.get("relabel", [])),
        _rules(entry, f"case {number} of {path}", rules),
    )


def _rules(entry: Mapping[str, Any], place: str, otherwise: LabelRules) -> LabelRules:
    return LabelRules.from_entry(entry["labels"], place) if "labels" in entry else otherwise


def _is_text(value: Any) -> bool:
    """Whether it can be a name: JSON also has texts that no file system takes."""
    if not isinstance(value, str) or "\0" in value:
        return False
    return bool(value) and value == value.encode(errors="ignore").decode()


def _relabel(path: Path, number: int, pairs: Any) -> Relabel:
    are_pairs = isinstance(pairs, list) and all(_is_pair(pair) for pair in pairs)
    given: dict[float, int] = dict(pairs) if are_pairs else {}
    labels = {BACKGROUND: BACKGROUND, **given}
    if not are_pairs or len(given) < len(pairs) or labels[BACKGROUND] != BACKGROUND:
        raise UserError(
            f"Case {number} of {path} has the relabel {pairs!r}: give pairs [value in the file, "
            f"label] of numbers and labels from 0 to {CLASSES - 1}, or {IGNORE} for voxels to "
            "ignore, 0 staying 0."
        )
    return tuple(sorted(labels.items())) if pairs else ()


def _is_pair(pair: Any) -> bool:
    """Whether it is a value of a label map with one of this project's labels."""
    if not isinstance(pair, list) or len(pair) != 2:
        return False
    value, label = pair
    if type(value) not in (int, float) or type(label) is not int:
        return False
    # Not a number is refused too: it is no less than any.
    return abs(value) <= LARGEST_VALUE and (0 <= label < CLASSES or label == IGNORE)
