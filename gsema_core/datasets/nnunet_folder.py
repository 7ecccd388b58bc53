"""Cases in an nnU-Net raw folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gsema_core.datasets.case_names import patient_name
from gsema_core.datasets.center_rules import CenterRule
from gsema_core.datasets.datalist import Case
from gsema_core.datasets.folder_walk import Tell, is_hidden, nothing_told
from gsema_core.datasets.patient_places import listed, with_center
from gsema_core.errors import UserError
from gsema_core.files.image_names import SUFFIXES, image_stem
from gsema_core.files.label_names import NamedValues, relabel_by_name
from gsema_core.files.label_rules import NO_RULES, LabelRules
from gsema_core.files.text_files import read_json, read_table

DESCRIPTION = "dataset.json"
CHANNEL = "_0000"
_PARTS = {"Tr": "", "Ts": "test"}


def is_nnunet_folder(folder: Path) -> bool:
    """Whether a folder has nnU-Net's or the Medical Segmentation Decathlon's description."""
    path = folder / DESCRIPTION
    if not path.is_file():
        return False
    return (folder / "imagesTr").is_dir() or bool(
        {"labels", "dataset"} & set(read_table(path) or ())
    )


def read_nnunet_folder(
    folder: Path,
    rule: CenterRule | None = None,
    tell: Tell = nothing_told,
    labels: LabelRules = NO_RULES,
) -> list[Case]:
    """Read ``dataset.json``, ``imagesTr/CASE_0000.*`` and ``labelsTr/CASE.*``.

    Where ``dataset.json`` has a ``dataset`` entry (nnU-Net v2), that names the files instead:
    ``{"CASE": {"images": [...], "label": ...}}``, from the folder on. Labels are mapped by their
    names in ``dataset.json``. Where ``labelsTs`` holds labels of ``imagesTs``, those are cases for
    testing; scans without labels there are passed over. nnU-Net knows neither patients nor
    centers: every case is a patient of its own, unless names differ by the time only
    (``patient_name``), and the folder's name is the center.

    Args:
        folder: the raw data set.
        rule: what says the center instead.
        tell: takes sentences on what was left out.
        labels: what names and values of labels mean; the name "ignore" needs no telling.

    Raises:
        UserError: ``dataset.json`` is no such file, there are several channels, or a case lacks
            its image or its label.
    """
    path = folder / DESCRIPTION
    description = read_json(path, "file")
    if not isinstance(description, dict):
        raise UserError(f"The file {path} is no description of a dataset: expected an object.")
    named = relabel_by_name(_label_names(description, path), str(path), labels)
    ending = description.get("file_ending")
    suffixes = (ending,) if isinstance(ending, str) and ending else SUFFIXES
    if "dataset" in description:
        cases = list(_named_cases(path, description["dataset"], named))
    elif (folder / "imagesTr").is_dir():
        cases = [case for part in _PARTS for case in _cases(folder, part, suffixes, named, tell)]
    else:
        raise UserError(
            f"The folder {folder} has nnU-Net's {DESCRIPTION}, but no imagesTr: give the raw data "
            "set's folder (nnUNet_raw/Dataset...), as preprocessed data and results have no scans."
        )
    if not cases:
        raise UserError(
            f"The nnU-Net folder {folder} has no labelled case: expected imagesTr/CASE_0000"
            f"{suffixes[0]} and labelsTr/CASE{suffixes[0]}."
        )
    return [with_center(case, folder, rule) for case in cases]


def _named_cases(path: Path, entries: Any, named: NamedValues) -> Iterator[Case]:
    """The cases of a ``dataset`` entry."""
    if not isinstance(entries, dict):
        entries = {"": None}
    for name, entry in entries.items():
        entry = entry if isinstance(entry, dict) else {}
        images = entry.get("images", ())
        files = [*images, entry.get("label")] if isinstance(images, list) and images else []
        if not files or not all(isinstance(file, str) and file for file in files):
            raise UserError(
                f"The dataset entry {name!r} of {path} cannot be used: expected "
                '{"CASE": {"images": ["CASE.nii.gz"], "label": "CASE_label.nii.gz"}}.'
            )
        if len(images) > 1:
            raise UserError(
                f"The case {name!r} of {path} has several channels: keep only the one with the "
                "angiography."
            )
        if "$" in "".join(files):
            raise UserError(
                f"The case {name!r} of {path} has a variable in a path ({listed(files)}): write "
                "the path out."
            )
        image, label = (path.parent / file for file in files)
        yield Case(
            patient_name(name), "", image, label, relabel=named.relabel, dropped=named.dropped
        )


def _cases(
    folder: Path, part: str, suffixes: tuple[str, ...], named: NamedValues, tell: Tell
) -> Iterator[Case]:
    images = _by_name(folder / f"images{part}", suffixes, tell)
    labels = _by_name(folder / f"labels{part}", suffixes, tell)
    # The Decathlon's images are called as their labels are, and may end with a number as well.
    scans = {name: name for name in images if name in labels}
    for name in images.keys() - scans.keys():
        scan, channel = name[:-5], name[-5:]
        is_channel = re.fullmatch(r"_\d{4}", channel) is not None
        if is_channel and channel != CHANNEL and (scan in labels or scan + CHANNEL in images):
            raise UserError(
                f"The nnU-Net folder {folder} has several channels a case ({images[name].name}): "
                "keep only the one with the angiography."
            )
        key = scan if channel == CHANNEL else name
        if key in scans:
            raise UserError(
                f"Both {images[scans[key]]} and {images[name]} are the image of one case: keep one "
                "of them."
            )
        scans[key] = name
    for name, image in sorted(scans.items()):
        if name not in labels and part == "Tr":
            raise UserError(
                f"The image {images[image]} has no label map of that name in "
                f"{folder / 'labelsTr'}: add it, or move the image out of the folder."
            )
    for name, path in labels.items():
        if name not in scans:
            raise UserError(
                f"The label map {path} has no image {name}{CHANNEL} in {folder / f'images{part}'}: "
                "add it, or move the label map out of the folder."
            )
        yield Case(
            patient_name(name),
            "",
            images[scans[name]],
            path,
            _PARTS[part],
            named.relabel,
            dropped=named.dropped,
        )


def _by_name(folder: Path, suffixes: tuple[str, ...], tell: Tell) -> dict[str, Path]:
    """Image files by their names without suffix; none where there is no such folder."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    named: dict[str, Path] = {}
    others: list[str] = []
    for path in files:
        stem = image_stem(path.name, suffixes)
        if is_hidden(path.name):
            continue
        if stem is None:
            others += [path.name] if image_stem(path.name) is not None else []
        elif stem in named:
            raise UserError(
                f"Both {named[stem]} and {path} are files of one case: keep one of them."
            )
        else:
            named[stem] = path
    if others:
        tell(
            f"In {folder}, {listed(others)} do not end with {suffixes[0]} as dataset.json says, "
            "and are left out."
        )
    return named


def _label_names(description: Mapping[str, Any], path: Path) -> dict[str, tuple[int, ...]]:
    """Names and values; older files have them the other way round."""
    labels = description.get("labels")
    wrong = UserError(
        f"The file {path} does not say what the labels mean: expected "
        '"labels": {"background": 0, "vessel": 1, "aneurysm": 2} in any order.'
    )
    if not isinstance(labels, dict) or not labels:
        raise wrong
    names: dict[str, tuple[int, ...]] = {}
    for name, value in labels.items():
        if isinstance(value, str) and name.isdecimal():
            name, value = value, int(name)
        values = value if isinstance(value, list) else [value]
        if not values or any(type(one) is not int for one in values):
            raise wrong
        names[name] = tuple(values)
    return names
