"""Cases in an nnU-Net raw folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gsema_core.datasets.datalist import Case
from gsema_core.errors import UserError
from gsema_core.files.image_names import SUFFIXES, image_stem
from gsema_core.files.label_names import Relabel, relabel_by_name
from gsema_core.files.text_files import read_json

DESCRIPTION = "dataset.json"
CHANNEL = "_0000"
_PARTS = {"Tr": "", "Ts": "test"}


def is_nnunet_folder(folder: Path) -> bool:
    """Whether a folder has what nnU-Net's raw datasets have."""
    return (folder / DESCRIPTION).is_file() and (folder / "imagesTr").is_dir()


def read_nnunet_folder(folder: Path) -> list[Case]:
    """Read ``dataset.json``, ``imagesTr/CASE_0000.*`` and ``labelsTr/CASE.*``.

    Labels are mapped by their names in ``dataset.json``. Where ``labelsTs`` holds labels of
    ``imagesTs``, those are cases for testing; scans without labels there are passed over. nnU-Net
    knows neither patients nor centers: every case is a patient of its own, and the folder's name
    is the center.

    Raises:
        UserError: ``dataset.json`` is no such file, there are several channels, or a case lacks
            its image or its label.
    """
    path = folder / DESCRIPTION
    description = read_json(path, "file")
    if not isinstance(description, dict):
        raise UserError(f"The file {path} is no description of a dataset: expected an object.")
    relabel = relabel_by_name(_label_names(description, path), str(path))
    ending = description.get("file_ending")
    suffixes = (ending,) if isinstance(ending, str) and ending else SUFFIXES
    cases = [case for part in _PARTS for case in _cases(folder, part, suffixes, relabel)]
    if not cases:
        raise UserError(
            f"The nnU-Net folder {folder} has no labelled case: expected imagesTr/CASE_0000"
            f"{suffixes[0]} and labelsTr/CASE{suffixes[0]}."
        )
    return cases


def _cases(folder: Path, part: str, suffixes: tuple[str, ...], relabel: Relabel) -> Iterator[Case]:
    images = _by_name(folder / f"images{part}", suffixes)
    labels = _by_name(folder / f"labels{part}", suffixes)
    others = [path for name, path in images.items() if name[-5:-1] == "_000" and name[-1] != "0"]
    if others:
        raise UserError(
            f"The nnU-Net folder {folder} has several channels a case ({others[0].name}): keep "
            "only the one with the angiography."
        )
    images = {name.removesuffix(CHANNEL): path for name, path in images.items()}
    for name, path in images.items():
        if name not in labels and part == "Tr":
            raise UserError(
                f"The image {path} has no label map of that name in {folder / 'labelsTr'}: add "
                "it, or move the image out of the folder."
            )
    for name, path in labels.items():
        if name not in images:
            raise UserError(
                f"The label map {path} has no image {name}{CHANNEL} in {folder / f'images{part}'}: "
                "add it, or move the label map out of the folder."
            )
        yield Case(name, folder.resolve().name, images[name], path, _PARTS[part], relabel)


def _by_name(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Image files by their names without suffix; none where there is no such folder."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    stems = {path: image_stem(path.name, suffixes) for path in files if path.name[0] != "."}
    return {stem: path for path, stem in stems.items() if stem is not None}


def _label_names(description: Mapping[str, Any], path: Path) -> dict[str, tuple[int, ...]]:
    """Names and values; older files have them the other way round."""
    labels = description.get("labels")
    wrong = UserError(
        f"The file {path} does not say what the labels mean: expected "
        '"labels": {"background": 0, "vessel": 1, "aneurysm": 2} in any order.'
    )
    if not isinstance(labels, dict):
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
