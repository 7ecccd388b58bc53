"""Cases as nnU-Net wants them: its raw format, ``dataset.json`` and a split."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gsema_core.datasets import Case, Split
from gsema_core.datasets.case_files import read_case, read_case_image
from gsema_core.files import write_labels, write_volume
from gsema_core.files.atomic import make_folder
from gsema_core.files.text_files import write_json, write_text
from gsema_core.grids import Volume
from gsema_core.intensities.image_only import only_image
from gsema_core.labels import BACKGROUND, CLASSES, IGNORE, NAMES

DATASET = "Dataset001_Aneurysm"
SUFFIX = ".nrrd"


def export(folder: Path, split: Split, unseen: Sequence[Case]) -> None:
    """Write ``raw``, and ``preprocessed`` with nothing but ``splits_final.json``.

    Cases are numbered: neither patients nor the unseen center's labels go along.

    Args:
        folder: gets the files.
        split: cases to train on and cases to choose the weights by; they become fold 0.
        unseen: cases to predict.

    Raises:
        UserError: a case cannot be read, or a file not be written.
    """
    raw = folder / "raw" / DATASET
    images, labels, tests = (
        make_folder(raw / name) for name in ("imagesTr", "labelsTr", "imagesTs")
    )
    prepared = make_folder(folder / "preprocessed" / DATASET)
    names: dict[str, list[str]] = {"train": [], "val": []}
    seen = [("train", case) for case in split.training] + [
        ("val", case) for case in split.validation
    ]
    ignores = False
    for number, (part, case) in enumerate(seen, start=1):
        name = f"case_{number:04d}"
        image, truth = read_case(case)
        ignores |= bool((truth.array == IGNORE).any())
        write_volume(_image_only(image), images / f"{name}_0000{SUFFIX}")
        write_labels(_as_nnunet(truth), labels / f"{name}{SUFFIX}")
        names[part].append(name)
    for number, case in enumerate(unseen, start=1):
        image = _image_only(read_case_image(case))
        write_volume(image, tests / f"{unseen_name(number)}_0000{SUFFIX}")
    write_json(_description(len(seen), ignores), raw / "dataset.json")
    write_text(json.dumps([names], indent=2) + "\n", prepared / "splits_final.json")


def unseen_name(number: int) -> str:
    """What case ``number`` of the unseen center is called there; counted from 1."""
    return f"test_{number:04d}"


def _image_only(volume: Volume) -> Volume:
    """Without fill and the like, as the other rows see it; nnU-Net scales it on its own."""
    return Volume(only_image(volume.array).array, volume.geometry)


def _as_nnunet(truth: Volume) -> Volume:
    """Labels are consecutive there, and what is to be ignored is the highest."""
    array = np.where(truth.array == IGNORE, np.uint8(CLASSES), truth.array)
    return Volume(array, truth.geometry)


def _description(cases: int, ignores: bool) -> dict[str, object]:
    return {
        "channel_names": {"0": "rotational angiography"},
        "labels": {
            "background": BACKGROUND,
            **{name.lower(): label for label, name in NAMES.items()},
            **({"ignore": CLASSES} if ignores else {}),
        },
        "numTraining": cases,
        "file_ending": SUFFIX,
        "overwrite_image_reader_writer": "SimpleITKIO",
    }
