"""Cases as nnU-Net wants them: its raw format, ``dataset.json`` and a split."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from gsema_core.datasets import Case, Split
from gsema_core.datasets.case_files import read_case, read_case_image
from gsema_core.files import write_labels, write_volume
from gsema_core.files.atomic import make_folder
from gsema_core.files.text_files import write_json, write_text
from gsema_core.grids import Volume
from gsema_core.intensities.image_only import only_image
from gsema_core.labels import NAMES

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
    for number, (part, case) in enumerate(seen, start=1):
        name = f"case_{number:04d}"
        image, truth = read_case(case)
        write_volume(_image_only(image), images / f"{name}_0000{SUFFIX}")
        write_labels(truth, labels / f"{name}{SUFFIX}")
        names[part].append(name)
    for number, case in enumerate(unseen, start=1):
        image = _image_only(read_case_image(case))
        write_volume(image, tests / f"{unseen_name(number)}_0000{SUFFIX}")
    write_json(_description(len(seen)), raw / "dataset.json")
    write_text(json.dumps([names], indent=2) + "\n", prepared / "splits_final.json")


def unseen_name(number: int) -> str:
    """What case ``number`` of the unseen center is called there; counted from 1."""
    return f"test_{number:04d}"


def _image_only(volume: Volume) -> Volume:
    """Without fill and the like, as the other rows see it; nnU-Net scales it on its own."""
    return Volume(only_image(volume.array).array, volume.geometry)


def _description(cases: int) -> dict[str, object]:
    return {
        "channel_names": {"0": "rotational angiography"},
        "labels": {"background": 0, **{name.lower(): label for label, name in NAMES.items()}},
        "numTraining": cases,
        "file_ending": SUFFIX,
        "overwrite_image_reader_writer": "SimpleITKIO",
    }
