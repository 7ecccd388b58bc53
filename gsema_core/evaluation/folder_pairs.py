"""Label maps in two folders, matched by name and scored."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gsema_core.datasets.datalist import Case
from gsema_core.errors import Cancelled, UserError
from gsema_core.evaluation.cases import CaseScore, score_case
from gsema_core.evaluation.patients import patient_numbers
from gsema_core.files import read_labels
from gsema_core.files.image_names import SEGMENTATION_SUFFIX, SUFFIXES, image_stem
from gsema_core.grids.geometry import check_same_grid


def evaluate_folders(
    predictions: str | os.PathLike[str],
    references: str | os.PathLike[str],
    listed: Sequence[Case] = (),
    *,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] = bool,
) -> list[CaseScore]:
    """Score every label map of a folder against that of the same name in another one.

    Args:
        predictions: folder of label maps (1 vessel, 2 aneurysm).
        references: folder of label maps; suffixes may differ from the predictions'.
        listed: cases that have the references as labels, known by their names without suffixes;
            they say patient and center. Without them each file is of another patient.
        progress: called with the fraction done and a text.
        cancelled: asked before every case.

    Raises:
        Cancelled: ``cancelled`` said True.
        UserError: a folder has no label map, a file has no partner or two files one name, the
            two grids of a case differ, a file cannot be read or has other labels, the cases do
            not name a reference or name two alike.
    """
    pairs = match_folders(Path(predictions), Path(references))
    known = _known(pairs, listed) if listed else {}
    scores = []
    for number, (name, (prediction, reference)) in enumerate(pairs.items(), start=1):
        if cancelled():
            raise Cancelled
        if progress is not None:
            progress((number - 1) / len(pairs), f"case {number} of {len(pairs)}")
        true = read_labels(reference)
        found = read_labels(prediction, grid=true.geometry)
        what, partner = f"The label map {prediction}", str(reference)
        check_same_grid(found.geometry, true.geometry, what, partner)
        scores.append(score_case(name, found, true, *known.get(name, ("", None))))
    return scores


def _known(
    pairs: Mapping[str, tuple[Path, Path]], listed: Sequence[Case]
) -> dict[str, tuple[str, int]]:
    """Center and number of the patient of each pair, by the names of the cases' labels."""
    known: dict[str, tuple[str, int]] = {}
    for case, number in zip(listed, patient_numbers(listed), strict=True):
        name = _label_stem(case.label.name)
        if name in known and name in pairs:
            raise UserError(
                f"The datalist has two cases with a label map {case.label.name}: it cannot be "
                "told whose the reference of that name is. Rename one."
            )
        known[name or ""] = (case.center, number)
    for name, (_, reference) in pairs.items():
        if name not in known:
            raise UserError(
                f"The datalist has no case with the label map {reference.name}: add it, or leave "
                "the list out."
            )
    return known


def match_folders(predictions: Path, references: Path) -> dict[str, tuple[Path, Path]]:
    """The files that belong together, by their names without suffixes.

    Raises:
        UserError: as for ``evaluate_folders``.
    """
    found, true = label_files(predictions), label_files(references)
    for names, others, what, partner, folder in (
        (found, true, "prediction", "reference", references),
        (true, found, "reference", "prediction", predictions),
    ):
        alone = [names[name] for name in names if name not in others]
        if alone:
            more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
            raise UserError(
                f"The {what} {alone[0].name}{more} has no {partner} of that name in {folder}: "
                "add it, or move the file out of the folder."
            )
    return {name: (found[name], true[name]) for name in sorted(found)}


def label_files(folder: Path) -> dict[str, Path]:
    """The image files of a folder by their names without suffix; hidden files are no part of it.

    Raises:
        UserError: it is no folder, has no image file, or two of one name.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: give the folder that holds the label maps.")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        name = _label_stem(path.name)
        if name is None or path.name.startswith(".") or not path.is_file():
            continue
        if name in files:
            raise UserError(
                f"The folder {folder} has both {files[name].name} and {path.name}: keep one "
                "label map a case."
            )
        files[name] = path
    if not files:
        raise UserError(
            f"The folder {folder} has no label map: expected files that end with one of "
            f"{', '.join(SUFFIXES)}."
        )
    return files


def _label_stem(name: str) -> str | None:
    return image_stem(name, (*SUFFIXES, SEGMENTATION_SUFFIX))
