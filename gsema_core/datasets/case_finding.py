"""Labelled cases, whichever way they are stored."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gsema_core.datasets.bids_folder import is_bids_folder, read_bids_folder
from gsema_core.datasets.center_rules import CenterRule
from gsema_core.datasets.datalist import Case, check_patients, read_datalist
from gsema_core.datasets.folder_walk import Tell, nothing_told, walk
from gsema_core.datasets.nnunet_folder import DESCRIPTION, is_nnunet_folder, read_nnunet_folder
from gsema_core.datasets.pairs import find_in_scene, find_pairs
from gsema_core.datasets.patient_places import listed, lone_centers, tell_repeats, with_center
from gsema_core.datasets.slicer_scenes import SCENE_SUFFIX
from gsema_core.errors import UserError
from gsema_core.files.image_names import ARCHIVES, image_stem
from gsema_core.files.label_rules import NO_RULES, LabelRules

DATALIST = "datalist.json"


def find_cases(
    path: str | os.PathLike[str],
    check_files: bool = True,
    rule: CenterRule | None = None,
    tell: Tell = nothing_told,
    *,
    confirmed: bool = False,
    labels: LabelRules = NO_RULES,
) -> list[Case]:
    """List labelled cases; no voxel is read.

    Args:
        path: a datalist (JSON) or a folder that holds ``datalist.json``, as ``gsema simulate``
            writes it (``read_datalist``); an nnU-Net raw folder (``read_nnunet_folder``); a BIDS
            data set (``read_bids_folder``); or a folder of pairs of images and label maps, or of
            saved scenes of Slicer (``find_pairs``).
        check_files: refuse a datalist with files that do not exist; else reading them will.
        rule: what says the center (``center_rule``); else a list's own centers count, those of
            BIDS' participants, or all cases are of one.
        tell: takes sentences on what was left out or put together.
        labels: what names and values of labels mean; they win over what a datalist says.
        confirmed: whether a center may have one patient only, where no list says so; it is told.

    Raises:
        UserError: it is nothing of this, files are missing, one file stands for two, or it cannot
            be told whose the scans are.
    """
    path = Path(path)
    try:
        listing = path / DATALIST if (path / DATALIST).is_file() else path
        if (path.is_dir() and listing == path) or path.name == DESCRIPTION:
            folder = path.parent if path.name == DESCRIPTION else path
            cases = _in_folder(folder, rule, tell, labels)
        elif path.suffix.lower() == SCENE_SUFFIX:
            cases = _ruled(find_in_scene(path, rule, tell), labels)
        elif path.name.lower().endswith(ARCHIVES):
            raise UserError(f"The file {path} is an archive: unpack it, and give the folder.")
        elif image_stem(path.name) is not None and path.is_file():
            raise UserError(
                f"The file {path} is an image: give the folder that has scans and label maps, or a "
                "datalist."
            )
        else:
            cases = _ruled(read_datalist(listing, check_files), labels)
            if listing != path:
                _tell_unlisted(path, cases, tell)
            if rule is None:
                return cases
            cases = [with_center(case, listing.parent, rule) for case in cases]
    except OSError as error:
        raise UserError(
            f"The cases at {path} cannot be listed ({error.strerror}): check that you may read "
            "the folder."
        ) from error
    check_patients(path, cases)
    tell_repeats(cases, tell)
    if question := lone_centers(cases, path):
        if not confirmed:
            raise UserError(
                f"{question} Give another --center-from, or confirm them with gsema cases {path} "
                "--write datalist.json --yes."
            )
        tell(question)
    return cases


def _in_folder(folder: Path, rule: CenterRule | None, tell: Tell, labels: LabelRules) -> list[Case]:
    if is_nnunet_folder(folder):
        return read_nnunet_folder(folder, rule, tell, labels)
    if is_bids_folder(folder):
        return read_bids_folder(folder, rule, tell, labels)
    return _ruled(find_pairs(folder, rule, tell), labels)


def _ruled(cases: list[Case], labels: LabelRules) -> list[Case]:
    return [replace(case, labels=labels.over(case.labels)) for case in cases] if labels else cases


def _tell_unlisted(folder: Path, cases: Sequence[Case], tell: Tell) -> None:
    """Say which images of a folder its list does not have, as of scans that came later."""
    known = {os.path.realpath(file) for case in cases for file in (case.image, case.label)}
    unlisted = [
        str(here / name)
        for here, names in walk(folder)
        if here == folder or DATALIST not in names
        for name in names
        if image_stem(name) is not None and os.path.realpath(here / name) not in known
    ]
    if unlisted:
        tell(
            f"{len(unlisted)} image file(s) of {folder} are not in its {DATALIST} and are left "
            f"out: {listed(unlisted)}."
        )
