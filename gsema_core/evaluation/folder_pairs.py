"""Label maps in two folders, matched by name and scored."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from gsema_core.datasets.datalist import Case
from gsema_core.errors import Cancelled, UserError, refusal_of
from gsema_core.evaluation.cases import DECIMALS, CaseScore, score_case
from gsema_core.evaluation.label_folders import PairingRules, Pairs, label_stem, match_folders
from gsema_core.evaluation.patients import patient_numbers
from gsema_core.files.label_maps import LabelMap, read_label_map
from gsema_core.files.label_rules import NO_RULES, LabelRules, Relabel
from gsema_core.grids.geometry import GRID_TOLERANCE_MM, Geometry, check_same_grid
from gsema_core.grids.label_resampling import labels_on_grid
from gsema_core.grids.volume import Volume


@dataclass(frozen=True)
class FolderScores:
    """The scores of two folders, and what was not simply a pair.

    Attributes:
        cases: the scores, by name.
        pairs: which files they are of, and which were left out.
        outside_ml: the cases whose prediction was brought to its reference's grid, with what of
            the prediction's volume lies outside of that and so counts nowhere, in ml.
        dropped: names of labels that are neither vessel nor aneurysm and were taken as background,
            with the number of label maps that have them.
    """

    cases: Sequence[CaseScore]
    pairs: Pairs
    outside_ml: Mapping[str, float]
    dropped: Mapping[str, int] = field(default_factory=dict)

    @property
    def scored_as_empty(self) -> list[str]:
        """Names of the cases without a prediction."""
        return [name for name, (prediction, _) in self.pairs.pairs.items() if prediction is None]

    def to_dict(self, rules: PairingRules) -> dict[str, Any]:
        """How the files were paired, as JSON has it."""
        return {
            **asdict(rules),
            "scored_as_empty": self.scored_as_empty,
            "skipped_predictions": list(self.pairs.skipped_predictions),
            "skipped_references": list(self.pairs.skipped_references),
            "left_out": [str(path) for path in self.pairs.left_out],
            "resampled_outside_ml": {
                name: round(volume, DECIMALS) for name, volume in self.outside_ml.items()
            },
            "taken_as_background": dict(self.dropped),
        }

    def notes(self) -> list[str]:
        """What a reader of the scores must know of them, a sentence each."""
        outside = sum(self.outside_ml.values())
        lost = f" ({outside:.3g} ml lie outside of those and count nowhere)" if outside else ""
        told = (
            ("scored as empty, as they have no prediction", self.scored_as_empty),
            ("skipped references, as they have no prediction", self.pairs.skipped_references),
            ("skipped predictions, as they have no reference", self.pairs.skipped_predictions),
            ("left out, as their names do not end as was said",
             [path.name for path in self.pairs.left_out]),
            (f"resampled to their references' grids{lost}", list(self.outside_ml)),
        )  # fmt: skip
        notes = [f"{len(names)} {what}: {_first(names)}." for what, names in told if names]
        for name, count in self.dropped.items():
            maps = f"{count} label map{'' if count == 1 else 's'}"
            notes.append(f"Taken as background: {name!r}, neither vessel nor aneurysm (in {maps}).")
        return notes


MOST_NAMES = 10
"""That a sentence lists. Ours."""


@dataclass(frozen=True)
class _Known:
    """What a list of cases tells of a reference."""

    center: str = ""
    patient: int | None = None
    relabel: Relabel = ()
    labels: LabelRules = NO_RULES


def evaluate_folders(
    predictions: str | os.PathLike[str],
    references: str | os.PathLike[str],
    listed: Sequence[Case] = (),
    rules: PairingRules | None = None,
    *,
    resample: bool = False,
    labels: tuple[LabelRules, LabelRules] = (NO_RULES, NO_RULES),
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] = bool,
) -> FolderScores:
    """Score every label map of a folder against the one of the same name in another folder.

    Args:
        predictions: folder of label maps (1 vessel, 2 aneurysm), with its subfolders.
        references: folder of label maps; suffixes may differ from the predictions'.
        listed: cases that have the references as labels, known by their places or their names
            without suffixes; they say patient and center, and what the labels' values mean.
            Without them each file is of another patient.
        rules: how the names belong together, default ``PairingRules()``.
        resample: bring predictions on another grid to the reference's (``labels_on_grid``);
            otherwise they are refused.
        labels: what names and values of the predictions' and the references' labels mean; a list
            may say more of the references.
        progress: called with the fraction done and a text.
        cancelled: called before every case; True ends the work.

    Raises:
        Cancelled: ``cancelled`` said True.
        UserError: as for ``match_folders``; the two grids of a case differ, a file cannot be read
            or has other labels (all such cases are named), the cases do not name a reference or
            name two alike.
    """
    found = match_folders(Path(predictions), Path(references), rules)
    known = _known(Path(references), found, listed) if listed else {}
    scores, outside_ml, reasons = [], dict[str, float](), list[str]()
    dropped: Counter[str] = Counter()
    for number, (name, (prediction, reference)) in enumerate(found.pairs.items(), start=1):
        if cancelled():
            raise Cancelled
        if progress is not None:
            progress((number - 1) / len(found.pairs), f"case {number} of {len(found.pairs)}")
        told = known.get(name, _Known())
        try:
            own = read_label_map(reference, told.relabel, rules=labels[1].over(told.labels))
            true = own.volume
            theirs = _prediction(prediction, true.geometry, labels[0])
            answer = theirs.volume
            dropped.update([*own.dropped, *theirs.dropped])
            if not answer.geometry.is_close(true.geometry, GRID_TOLERANCE_MM):
                answer, outside_ml[name] = _on_reference(
                    answer, true.geometry, prediction, reference, resample
                )
        except UserError as error:
            reasons.append(error.full)
        if not reasons:  # with one there will be no scores, and the others are only looked for
            scores.append(score_case(name, answer, true, told.center, told.patient))
    if reasons:
        raise refusal_of(reasons)
    return FolderScores(scores, found, outside_ml, dict(sorted(dropped.items())))


def _prediction(path: Path | None, grid: Geometry, rules: LabelRules) -> LabelMap:
    """The label map, or an empty one where it is missing."""
    if path is None:
        return LabelMap(Volume(np.zeros(grid.shape, np.uint8), grid))
    return read_label_map(path, grid=grid, rules=rules)


def _on_reference(
    labels: Volume, grid: Geometry, prediction: Path | None, reference: Path, resample: bool
) -> tuple[Volume, float]:
    """A prediction on the reference's grid, and how many ml of it lie outside.

    Raises:
        UserError: resampling was not asked for, or nothing of the prediction lies on that grid.
    """
    if not resample:
        what, advice = (
            f"The label map {prediction}",
            (
                "write the label maps on their scans' grids, or say --resample to bring the "
                "predictions to their references' grids"
            ),
        )
        check_same_grid(labels.geometry, grid, what, str(reference), advice)
    kji = np.argwhere(labels.array)
    places = grid.world_to_index(labels.geometry.index_to_world(kji[:, ::-1]))
    inside = ((places > -0.5) & (places < np.array(grid.size) - 0.5)).all(axis=1)
    if len(kji) and not inside.any():
        raise UserError(
            f"No labelled voxel of {prediction} lies on the grid of {reference}: they are in two "
            "places in space, and no resampling helps. Check that both are of one scan."
        )
    outside = int((~inside).sum())
    return labels_on_grid(labels, grid), outside * labels.geometry.voxel_volume_mm3 / 1000


def _known(references: Path, found: Pairs, listed: Sequence[Case]) -> dict[str, _Known]:
    """What the list tells of each pair's reference.

    A case is found by its label's file, else by its name with as many folders as the reference
    lies in below its own, else by its name alone.

    Raises:
        UserError: no case of the list has the reference, or several may.
    """
    numbers = patient_numbers(listed)
    files = [os.path.realpath(case.label) for case in listed]
    known: dict[str, _Known] = {}
    taken: dict[int, Path] = {}
    for name, (_, reference) in found.pairs.items():
        way = _way(reference.relative_to(references))
        same = [n for n, file in enumerate(files) if file == os.path.realpath(reference)]
        for parts in dict.fromkeys((len(way), 1)):
            same = same or [n for n, case in enumerate(listed)
                            if _way(case.label)[-parts:] == way[-parts:]]  # fmt: skip
        known[name] = _told(reference, [(listed[n], numbers[n]) for n in same])
        if taken.setdefault(same[0], reference) != reference:
            raise UserError(
                f"The datalist has one case for {taken[same[0]]} and {reference}: list the label "
                "maps of both, with their folders."
            )
    return known


def _way(path: PurePath) -> tuple[str, ...]:
    """A label map's folders and its name without suffix."""
    return *path.parent.parts, label_stem(path.name) or path.name


def _told(reference: Path, cases: Sequence[tuple[Case, int]]) -> _Known:
    if not cases:
        raise UserError(
            f"The datalist has no case with the label map {reference.name}: add it, or leave the "
            "list out."
        )
    if len(cases) > 1:
        raise UserError(
            f"The datalist has two cases with a label map {reference.name}: it cannot be told "
            f"whose the reference {reference} is. Rename one."
        )
    ((case, patient),) = cases
    if (case.relabel or case.labels.values) and os.path.realpath(case.label) != os.path.realpath(
        reference
    ):
        raise UserError(
            f"The datalist says what the values of {case.label} mean, but the reference "
            f"{reference} is another file, which may have others: give the folder with the list's "
            "own label maps, or a list that says nothing of their values (relabel, labels)."
        )
    return _Known(case.center, patient, case.relabel, case.labels)


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
