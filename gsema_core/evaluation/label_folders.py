"""Label maps of two folders, and which of them are of one case."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn, get_args

from gsema_core.errors import UserError
from gsema_core.files.image_names import SEGMENTATION_SUFFIX, SUFFIXES, image_stem

Missing = Literal["stop", "skip", "score"]
MISSING: tuple[str, ...] = get_args(Missing)


@dataclass(frozen=True)
class PairingRules:
    """How the label maps of two folders belong together.

    Attributes:
        prediction_suffix: what the predictions' names end with, before the format's own suffix:
            ``_pred``, ``.seg``, ``_0000``. It is no part of a case's name, and other files are
            left out. Empty takes all label maps.
        reference_suffix: the same for the references.
        missing: what to do with a reference without a prediction, or the other way round.
            ``stop`` refuses; ``skip`` leaves the case out and names it; ``score`` takes a missing
            prediction for an empty one. Default stop, our choice: most missing files have a wrong
            name, ``score`` would count each as a missed aneurysm, and ``skip`` may leave out just
            the difficult cases.
    """

    prediction_suffix: str = ""
    reference_suffix: str = ""
    missing: Missing = "stop"

    def __post_init__(self) -> None:
        if self.missing not in MISSING:
            raise UserError(
                f"What to do with missing predictions is {self.missing!r}: use "
                f"{', '.join(MISSING)}."
            )


@dataclass(frozen=True)
class Pairs:
    """What was found.

    Attributes:
        pairs: the prediction, or None where it is missing and scored as empty, and the reference
            of each case, by the cases' names.
        skipped_predictions, skipped_references: names of those without a partner.
        left_out: label maps whose names do not end with the suffix that was given.
    """

    pairs: Mapping[str, tuple[Path | None, Path]]
    skipped_predictions: Sequence[str] = ()
    skipped_references: Sequence[str] = ()
    left_out: Sequence[Path] = ()


def match_folders(predictions: Path, references: Path, rules: PairingRules | None = None) -> Pairs:
    """The files that belong together: those of one name, in subfolders of one name.

    Raises:
        UserError: a folder has no label map, two files have one name, a file is its own
            reference, or one has no partner and the rules do not say what then.
    """
    rules = rules or PairingRules()
    found, true, left_out = _both(predictions, references, rules)
    without = sorted(true.keys() - found.keys()), sorted(found.keys() - true.keys())
    both = sorted(found.keys() & true.keys())
    if not both and rules.missing != "stop":
        first = [min(names, default="none") for names in (found, true)]
        raise UserError(
            f"No label map of {predictions} has the name of one of {references}: the first is "
            f"{first[0]} here and {first[1]} there. Say what the names end with "
            "(--prediction-suffix, --reference-suffix), or give the right folders."
        )
    if without[0] and rules.missing == "stop":
        _refuse_alone(true, without[0], found, ("reference", "prediction", predictions))
    if without[1] and rules.missing != "skip":
        _refuse_alone(found, without[1], true, ("prediction", "reference", references))
    for name in both:
        if found[name].exists() and true[name].exists() and found[name].samefile(true[name]):
            raise UserError(
                f"The prediction {found[name]} and its reference are one file, which would score "
                "as perfect: give two folders, or what the names of each kind end with "
                "(--prediction-suffix, --reference-suffix)."
            )
    scored = sorted(true) if rules.missing == "score" else both
    skipped = without if rules.missing == "skip" else ([], [])
    pairs = {name: (found.get(name), true[name]) for name in scored}
    return Pairs(pairs, skipped[1], skipped[0], left_out)


def label_files(folder: Path, suffix: str = "", without: Path | None = None) -> dict[str, Path]:
    """The label maps of a folder and its subfolders, by their names; no hidden ones.

    Args:
        folder: to look in.
        suffix: as in ``PairingRules``.
        without: a folder in it that is not part of it.

    Returns:
        ``subfolder/name`` -> file; where a name is nothing but the suffix, the subfolder's name
        is the case's: ``case1/pred.nrrd`` with the suffix ``pred``.

    Raises:
        UserError: it is no folder, cannot be read, or has no such file or two of one name.
    """
    files: dict[str, Path] = {}
    others = []
    for path in _image_files(folder, without):
        name = _case_name(path.relative_to(folder), suffix)
        if name is None:
            others.append(path)
        elif name in files:
            raise UserError(
                f"Both {files[name]} and {path} are the label map of the case {name}: keep one "
                "label map a case."
            )
        else:
            files[name] = path
    if not files and others:
        raise UserError(
            f"No label map in the folder {folder} has a name that ends with {suffix} before its "
            f"format's suffix: one is called {others[0].name}."
        )
    if not files:
        raise UserError(
            f"The folder {folder} has no label map: expected files that end with one of "
            f"{', '.join(SUFFIXES)}."
        )
    return files


def label_stem(name: str) -> str | None:
    """A label map's name without suffix; None for other files."""
    return image_stem(name, (*SUFFIXES, SEGMENTATION_SUFFIX))


def _both(
    predictions: Path, references: Path, rules: PairingRules
) -> tuple[dict[str, Path], dict[str, Path], list[Path]]:
    """Predictions and references by their names, and the label maps that are neither."""
    sides = (predictions, rules.prediction_suffix), (references, rules.reference_suffix)
    found = label_files(*sides[0], without=references)
    true = label_files(*sides[1], without=predictions)
    if _is_same(predictions, references) and sides[0] != sides[1]:
        # The longer ending tells more: a_pred_seg is no reference that ends with _seg.
        kinds = sorted(((len(sides[0][1]), found), (len(sides[1][1]), true)), key=lambda k: k[0])
        (_, shorter), (_, longer) = kinds
        for name in [name for name, path in shorter.items() if path in longer.values()]:
            del shorter[name]
    files = {*_image_files(predictions, references), *_image_files(references, predictions)}
    return found, true, sorted(files - {*found.values(), *true.values()})


def _image_files(folder: Path, without: Path | None) -> Iterator[Path]:
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: give the folder that holds the label maps.")
    apart = os.path.realpath(without) if without and not _is_same(folder, without) else None
    for parent, folders, names in os.walk(folder, onerror=_refuse_unreadable, followlinks=True):
        above = Path(os.path.realpath(parent))
        real = {name: os.path.realpath(Path(parent, name)) for name in folders}
        folders[:] = sorted(
            name for name in folders
            if not name.startswith(".") and real[name] != apart
            and not above.is_relative_to(real[name])  # a link to where it lies has no end
        )  # fmt: skip
        for name in sorted(names):
            if image_stem(name) is not None and not name.startswith("."):
                yield Path(parent, name)


def _refuse_unreadable(error: OSError) -> NoReturn:
    raise UserError(
        f"The folder {error.filename} cannot be read ({error.strerror}): check that you may."
    ) from error


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _case_name(path: Path, suffix: str) -> str | None:
    """A case's name from its file's place below the folder; None without the suffix.

    The suffix may be written with the format's own, and as ``.seg`` of ``.seg.nrrd``.
    """
    ways = (label_stem(path.name), image_stem(path.name), path.name)
    stem = next((way for way in ways if way is not None and way.endswith(suffix)), None)
    if stem is None:
        return None
    name = stem[: len(stem) - len(suffix)]
    return "/".join((*path.parent.parts, *([name] if name else ()))) or None


def _refuse_alone(
    files: Mapping[str, Path],
    alone: Sequence[str],
    others: Mapping[str, Path],
    words: tuple[str, str, Path],
) -> NoReturn:
    what, partner, folder = words
    name = alone[0]
    more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
    last = name.rpartition("/")[2]
    left = sorted(others.keys() - files.keys())
    elsewhere = [other for other in left if other.rpartition("/")[2] == last]
    hint = f"; {others[elsewhere[0]]} lies in another subfolder" if elsewhere else ""
    hint = hint or (f"; {others[left[0]].name} there has no {what}" if left else "")
    choice = "skip" if what == "prediction" else "skip or score"
    raise UserError(
        f"The {what} {files[name].name}{more} has no {partner} of the name {name} in "
        f"{folder}{hint}: add it, move the file out of the folder, say what the names end with "
        f"(--prediction-suffix, --reference-suffix), or what to do then (--missing {choice})."
    )
