"""Cases in a folder of pairs of images and label maps, told by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gsema_core.datasets.adam_folder import adam_scan, is_of_adam
from gsema_core.datasets.case_names import (
    USE_FOLDERS,
    NamedFile,
    key,
    named_file,
    without_modality,
)
from gsema_core.datasets.center_rules import CenterRule
from gsema_core.datasets.datalist import Case
from gsema_core.datasets.folder_walk import Tell, nothing_told, walk
from gsema_core.datasets.nnunet_folder import DESCRIPTION, is_nnunet_folder
from gsema_core.datasets.patient_places import Labelled, as_cases, listed
from gsema_core.datasets.slicer_scenes import SCENE_SUFFIX, read_scene
from gsema_core.errors import UserError
from gsema_core.files.dicom.mark import has_scan
from gsema_core.files.image_names import ARCHIVES, image_stem
from gsema_core.files.label_words import meaning_of
from gsema_core.labels import ANEURYSM, VESSEL

NAMING = (
    "NAME.nrrd with NAME_label.nrrd or NAME.seg.nrrd beside it, images/NAME.nrrd with "
    "labels/NAME.nrrd, or a folder for each patient with image.nrrd and label.nrrd"
)
"""What is understood, in one breath."""

_SLICERS = re.compile(r"segmentation(?:[-_ ]\d+)?\.seg\.nrrd", re.IGNORECASE)
"""What Slicer calls segmentations that nobody named."""

OWN_LISTS = ("datalist.json", "dataset_description.json")
"""Files of a data set that is to be read by itself."""


@dataclass
class _Folder:
    """What belongs together by its place: image and label map of each name.

    Attributes:
        images, labels: by ``key``, with the name as it is spelled.
    """

    images: dict[str, tuple[str, Path]] = field(default_factory=dict)
    labels: dict[str, tuple[str, Path]] = field(default_factory=dict)


_Folders = dict[tuple[tuple[str, ...], bool], _Folder]
"""By the place, and whether nnU-Net's names for test cases are used there."""


def find_pairs(root: Path, rule: CenterRule | None = None, tell: Tell = nothing_told) -> list[Case]:
    """Find cases by the names of files (see ``NAMING``; any format that can be read).

    Label maps' names end with label, labels, labelmap, seg, segmentation, mask, masks, labeledMasks
    or gt, after one of ``- _ .`` or a space, or begin so; images' may end with image, img, volume,
    scan, orig or 0000, or with the scan's kind, such as CTA. The image may be a folder of DICOM
    files that has the case's name. A file that is only called so (label.nrrd,
    Segmentation.seg.nrrd) belongs to the one image or the DICOM files of its folder. In a folder
    with a scene that Slicer saved, the scene says what belongs together. Folders of ADAM's
    patients are read as ``adam_scan`` says.

    Folders train, val and test say the use where there are two of them. For patients and centers
    see ``as_cases``.

    Args:
        root: the folder.
        rule: what says the center.
        tell: takes sentences on what was left out or put together.

    Raises:
        UserError: there is no pair, an image or label map lacks the other, there are two of one
            name, or it cannot be told whose the scans are.
    """
    folders: _Folders = {}
    scans: list[Labelled] = []
    archives: list[str] = []
    of_scenes: set[Path] = set()
    of_adam: set[Path] = set()
    for here, names in walk(root, tell):
        _check_own(root, here, names)
        archives += [str(here / name) for name in names if name.lower().endswith(ARCHIVES)]
        steps = here.relative_to(root).parts
        scenes = [name for name in names if name.lower().endswith(SCENE_SUFFIX)]
        if len(scenes) > 1:
            raise UserError(
                f"Both {here / scenes[0]} and {here / scenes[1]} are scenes of one folder: keep "
                "one, or give one."
            )
        if scenes:
            in_scene = read_scene(here / scenes[0], tell)
            scans += [Labelled(steps or (root.resolve().name,), *files) for files in in_scene]
            of_scenes |= {file.parent for files in in_scene for file in files}
        if adam := adam_scan(here):
            scans.append(Labelled(steps or (root.resolve().name,), *adam))
            of_adam.add(here)
        for name in names if here not in of_scenes else ():
            stem = image_stem(name)
            if stem is not None and not is_of_adam(here / name, of_adam):
                _sort_in(folders, named_file(steps, stem), here / name)
    for (home, is_test), folder in folders.items():
        scans += _paired(root, home, folder, "test" if is_test else "")
    if not scans:
        packed = f" Archives are not unpacked ({listed(archives)})." if archives else ""
        if has_scan(root):
            packed += " Label maps in DICOM files are not read: save them as NAME.seg.nrrd."
        raise UserError(
            f"The folder {root} has no images with label maps: expected {NAMING}, an nnU-Net or "
            f"BIDS folder, a saved scene of Slicer or a datalist.json.{packed}"
        )
    if of_adam:
        tell(
            f"{len(of_adam)} folder(s) are laid out as ADAM's: pre/TOF.nii.gz is the scan of each, "
            "and orig and structural images are left out."
        )
    if archives:
        tell(f"Archives are not looked into: {listed(archives)}. Unpack what belongs to the cases.")
    return as_cases(_with_uses(sorted(scans, key=_order), tell), root, rule)


def find_in_scene(path: Path, rule: CenterRule | None, tell: Tell) -> list[Case]:
    """The cases of one saved scene.

    Raises:
        UserError: it has no segmentation, or cannot be read (``read_scene``).
    """
    home = path.absolute().parent
    scans = [Labelled((home.name,), *files) for files in read_scene(path, tell)]
    if not scans:
        raise UserError(f"The scene {path} has no segmentation: segment its volumes, and save it.")
    return as_cases(scans, path.parent, rule)


def _order(scan: Labelled) -> tuple[tuple[str, ...], str]:
    return scan.steps, str(scan.image)


def _check_own(root: Path, here: Path, names: Sequence[str]) -> None:
    """A data set with a list of its own says more than names of files do."""
    own = next((name for name in OWN_LISTS if name in names), None)
    if own is None and is_nnunet_folder(here):
        own = DESCRIPTION
    if here != root and own:
        raise UserError(
            f"The folder {here} in {root} is a data set of its own, with {own}: give that folder "
            "itself, or move it elsewhere."
        )


def _sort_in(folders: _Folders, named: NamedFile, path: Path) -> None:
    """Put a file where it belongs: image or label map, of which folder, of which name."""
    folder = folders.setdefault((named.home, named.is_test), _Folder())
    files = folder.labels if named.is_label else folder.images
    if key(named.name) in files:
        raise UserError(
            f"Both {files[key(named.name)][1]} and {path} are the "
            f"{'label map' if named.is_label else 'image'} of one case: keep one of them."
        )
    files[key(named.name)] = named.name, path


def _paired(root: Path, home: tuple[str, ...], folder: _Folder, use: str) -> Iterator[Labelled]:
    """The scans of a folder with their label maps."""
    for name, image, label in _pairs(root.joinpath(*home), folder):
        is_named = name and (not home or key(name) != key(home[-1]))
        steps = (*home, name) if is_named else home
        yield Labelled(steps or (root.resolve().name,), image, label, use)


def _pairs(place: Path, folder: _Folder) -> Iterator[tuple[str, Path, Path]]:
    """Name, image and label map of each case; the name is empty where the files have none."""
    images, labels = dict(folder.images), dict(folder.labels)
    if len(images) == len(labels) == 1:
        (image,), (label,) = images.values(), labels.values()
        if _belong_together(image[0], label):
            yield ("" if "" in (image[0], label[0]) else image[0]), image[1], label[1]
            return
    for name, (spelled, _) in labels.items():
        if name not in images and (series := _series(place, spelled)):
            images[name] = spelled, series
    for name in sorted(labels):
        if name in images:
            yield images[name][0], images.pop(name)[1], labels.pop(name)[1]
    yield from _by_short_names(images, labels)
    _check_none_left(images, labels)


def _belong_together(image: str, label: tuple[str, Path]) -> bool:
    """Whether names of the one image and the one label map of a folder fit."""
    name, path = label
    is_slicers = bool(_SLICERS.fullmatch(path.name))
    short, long = sorted((key(image), key(name)), key=len)
    starts = long.startswith(short) and not long[len(short) : len(short) + 1].isalnum()
    return is_slicers or not short or starts


def _series(place: Path, name: str) -> Path | None:
    """The folder of DICOM files that has a case's name, or is the case's."""
    places = (place / name, place / "images" / name) if name else (place,)
    return next((folder for folder in places if has_scan(folder)), None)


def _by_short_names(
    images: dict[str, tuple[str, Path]], labels: dict[str, tuple[str, Path]]
) -> Iterator[tuple[str, Path, Path]]:
    """Pairs whose names differ by the scan's kind only; both are taken out of the lists."""
    for name in sorted(labels):
        short = without_modality(name)
        fits = [one for one in sorted(images) if without_modality(one) == short]
        rivals = [one for one in sorted(labels) if without_modality(one) == short]
        if len(fits) > 1 or (fits and len(rivals) > 1):
            files = [str(images[one][1]) for one in fits] + [str(labels[one][1]) for one in rivals]
            raise UserError(
                f"It cannot be told which of {listed(files)} belong together: name each label map "
                "as its image, or keep one of each."
            )
        if fits:
            yield short, images.pop(fits[0])[1], labels.pop(name)[1]


def _check_none_left(
    images: dict[str, tuple[str, Path]], labels: dict[str, tuple[str, Path]]
) -> None:
    for files, others, what, partner in (
        (labels, images, "label map", "image"),
        (images, labels, "image", "label map"),
    ):
        alone, open_ = (sorted(path for _, path in them.values()) for them in (files, others))
        if len(alone) == 1 and len(open_) > 1:
            raise UserError(
                f"The {what} {alone[0]} has several {partner}s that may be its own "
                f"({listed(path.name for path in open_)}): keep one, or give both the same "
                f"name.{_of_one_class(open_)}"
            )
    for files, what, partner in ((labels, "label map", "image"), (images, "image", "label map")):
        alone = sorted(path for _, path in files.values())
        if alone:
            more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
            raise UserError(
                f"The {what} {alone[0]}{more} has no {partner}: expected {NAMING}; add it, or "
                f"move the {what} elsewhere.{_of_one_class(alone)}"
            )


def _of_one_class(files: Sequence[Path]) -> str:
    """What to do about a mask for vessels and one for aneurysms, where names sound like that."""
    if any(meaning_of(path.name) in (VESSEL, ANEURYSM) for path in files):
        return (
            " A mask of vessels and one of aneurysms must be one label map: 1 vessel, 2 aneurysm."
        )
    return ""


def _with_uses(scans: list[Labelled], tell: Tell) -> list[Labelled]:
    """Take folders called train, val and test for uses, where there are two of them."""
    uses = [USE_FOLDERS.get(scan.steps[0].lower(), "") for scan in scans]
    if len(set(uses) - {""}) < 2 or any(
        use and len(scan.steps) < 2 for use, scan in zip(uses, scans, strict=True)
    ):
        return scans
    tell("Folders called as a use (train, val, test) say what their cases are for.")
    return [
        Labelled(scan.steps[1:], scan.image, scan.label, use) if use else scan
        for use, scan in zip(uses, scans, strict=True)
    ]
