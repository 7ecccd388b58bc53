"""Cases in a folder of pairs of images and label maps, told by their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gsema_core.datasets.datalist import Case
from gsema_core.errors import UserError
from gsema_core.files.dicom.mark import has_scan
from gsema_core.files.dicom.neutral import neutral_name
from gsema_core.files.image_names import image_stem

NAMING = (
    "NAME.nrrd with NAME_label.nrrd or NAME.seg.nrrd beside it, images/NAME.nrrd with "
    "labels/NAME.nrrd, or a folder for each patient with image.nrrd and label.nrrd"
)
"""What is understood, in one breath."""

DEPTH = 4
"""Folders below the given one that are looked into. Our choice."""

_LABEL = re.compile(r"(?:(.+)[-_. ])?(?:labels?|labelmap|seg|segmentation|mask|gt)", re.IGNORECASE)
_IMAGE = re.compile(r"(?:(.+)[-_. ])?(?:image|img|volume|scan|0000)", re.IGNORECASE)
_LABEL_FOLDERS = {"label", "labels", "labelstr", "masks", "segmentations"}
_IMAGE_FOLDERS = {"image", "images", "imagestr", "scans", "volumes"}


@dataclass
class _Folder:
    """What belongs together by its place: image and label map of each name."""

    images: dict[str, Path] = field(default_factory=dict)
    labels: dict[str, Path] = field(default_factory=dict)


def find_pairs(root: Path) -> list[Case]:
    """Find cases by the names of files (see ``NAMING``; any format that can be read).

    Label maps' names end with label, labels, labelmap, seg, segmentation, mask or gt, after one of
    ``- _ .`` or a space; images' may end with image, img, volume, scan or 0000. The image may be
    a folder of DICOM files that has the case's name. A file that is only called so (label.nrrd,
    Segmentation.seg.nrrd) belongs to the one image or the DICOM files of its folder.

    Subfolders are centers, unless each holds just one pair: then they are patients. Without
    centers, the folder's name is the center. Cases of several subfolders are several patients,
    even where their names are alike. Cases of DICOM files get names that are no folder's.

    Raises:
        UserError: there is no pair, an image or label map lacks the other, or there are two of
            one name.
    """
    folders: dict[Path, _Folder] = {}
    for path, stem in _image_files(root):
        _sort_in(folders, path, stem)
    pairs = {home: _pairs(home, folder) for home, folder in folders.items()}
    pairs = {home: found for home, found in pairs.items() if found}
    if not pairs:
        raise UserError(
            f"The folder {root} has no images with label maps: expected {NAMING}, an nnU-Net "
            "folder or a datalist.json."
        )
    single = all(len(found) == 1 and home != root for home, found in pairs.items())
    return [
        _case(root, home, name, single, files)
        for home, found in sorted(pairs.items())
        for name, files in sorted(found.items())
    ]


def _image_files(root: Path) -> Iterator[tuple[Path, str]]:
    """The image files and their names without suffix."""
    for parent, folders, names in os.walk(root, followlinks=True):
        below = len(Path(parent).relative_to(root).parts)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and below < DEPTH)
        for name in sorted(names):
            stem = image_stem(name)
            if stem is not None and not name.startswith("."):
                yield Path(parent, name), stem


def _sort_in(folders: dict[Path, _Folder], path: Path, stem: str) -> None:
    """Put a file where it belongs: image or label map, of which folder, of which name."""
    home, place = path.parent, path.parent.name.lower()
    is_label = bool(_LABEL.fullmatch(stem))
    if place in _LABEL_FOLDERS | _IMAGE_FOLDERS:
        home, is_label = home.parent, place in _LABEL_FOLDERS
    word = _LABEL if is_label else _IMAGE
    while found := word.fullmatch(stem):  # Slicer's own: Segmentation.seg.nrrd
        stem = found[1] or ""
    folder = folders.setdefault(home, _Folder())
    files = folder.labels if is_label else folder.images
    if stem in files:
        raise UserError(
            f"Both {files[stem]} and {path} are the {'label map' if is_label else 'image'} of one "
            "case: keep one of them."
        )
    files[stem] = path


def _pairs(home: Path, folder: _Folder) -> dict[str, tuple[Path, Path]]:
    """The files of each case of a folder; the name is empty where the files have none."""
    images, labels = dict(folder.images), dict(folder.labels)
    if len(images) == len(labels) == 1 and "" in {*images, *labels}:
        return {"": (images.popitem()[1], labels.popitem()[1])}
    for name in labels.keys() - images.keys():
        places = (home / name, home / "images" / name) if name else (home,)
        series = [place for place in places if has_scan(place)]
        if series:
            images[name] = series[0]
    for files, others, what, partner in (
        (labels, images, "label map", "image"),
        (images, labels, "image", "label map"),
    ):
        alone = sorted(path for name, path in files.items() if name not in others)
        if alone:
            more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
            raise UserError(
                f"The {what} {alone[0]}{more} has no {partner}: expected {NAMING}; add it, or "
                f"move the {what} elsewhere."
            )
    return {name: (images[name], labels[name]) for name in images}


def _case(root: Path, home: Path, name: str, single: bool, files: tuple[Path, Path]) -> Case:
    """Name patient and center by the folders from ``root`` on."""
    way = home.relative_to(root).parts
    label_folder = files[1].parent.name.lower() in _LABEL_FOLDERS  # one for many patients
    if way and ((single and not label_folder) or name in ("", way[-1])):
        way, name = way[:-1], way[-1]
    top = root.resolve().name
    patient = neutral_name(files[0]) or "/".join((*way, name or top))
    return Case(patient, way[0] if way else top, *files)
