"""Cases in a BIDS data set: scans, with masks beside them or among the derivatives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gsema_core.datasets.center_rules import CenterRule, has_centers, read_center_table
from gsema_core.datasets.datalist import Case
from gsema_core.datasets.folder_walk import Tell, nothing_told, walk
from gsema_core.datasets.patient_places import listed, with_center
from gsema_core.errors import UserError
from gsema_core.files.image_names import SEGMENTATION_SUFFIX, image_stem
from gsema_core.files.label_names import NamedValues, relabel_by_name
from gsema_core.files.label_rules import NO_RULES, LabelRules
from gsema_core.files.text_files import read_rows, read_table

DESCRIPTION = "dataset_description.json"
PARTICIPANTS = "participants.tsv"
DERIVATIVES = "derivatives"

MASKS = ("dseg", "seg")
"""Suffixes of masks with several labels. BIDS' ``_mask`` is one structure, often the brain."""

_NOT_SCANS = {"mask", "probseg", "xfm", "defacemask", "boldref", "bold", "sbref", "dwi", "epi"}
_OF_MASKS = {"space", "res", "den", "label", "desc", "seg", "hemi", "atlas", "scale"}
"""What derivatives add to the names of the scan that they are made from."""

_OWN_SPACES = {None, "orig", "native", "scanner", "individual"}


@dataclass(frozen=True)
class _Image:
    """An image file by its name: ``sub-01_ses-2_space-T1w_dseg`` and so on.

    Attributes:
        path: the file.
        entities: of its name, as ``{"sub": "01", "ses": "2"}``.
        suffix: the last word of its name.
        scan: the word before, where a mask's name has its scan's whole name.
        source: the folders above its ``sub-`` folder; empty for the raw data.
    """

    path: Path
    entities: Mapping[str, str]
    suffix: str
    scan: str
    source: tuple[str, ...]

    @property
    def is_mask(self) -> bool:
        return self.suffix in MASKS

    @property
    def own(self) -> dict[str, str]:
        """The entities that it shares with its scan."""
        return {name: value for name, value in self.entities.items() if name not in _OF_MASKS}


def is_bids_folder(folder: Path) -> bool:
    """Whether a folder is a BIDS data set, or its derivatives, or those of one pipeline."""
    if (folder / DESCRIPTION).is_file():
        return True
    if folder.is_dir() and DERIVATIVES in (folder.name, folder.parent.name):
        return True
    return any(
        (session / "anat").is_dir()
        for subject in sorted(folder.glob("sub-*"))
        for session in (subject, *sorted(subject.glob("ses-*")))
    )


def read_bids_folder(
    folder: Path,
    rule: CenterRule | None = None,
    tell: Tell = nothing_told,
    labels: LabelRules = NO_RULES,
) -> list[Case]:
    """Read scans with a ``_dseg`` or ``_seg`` mask, which may lie among the derivatives.

    A mask belongs to the scan whose name it has, apart from what derivatives add; where several
    fit, the mask's JSON file says which (``Sources``). A ``_dseg.tsv`` names its values. All
    sessions and runs of a ``sub-`` are one patient's. ``participants.tsv`` says the center where
    it has a column for it.

    Args:
        folder: the data set; or a pipeline's folder in its ``derivatives``, for its masks only.
        rule: what says the center instead.
        tell: takes sentences on what was left out.
        labels: what names and values of labels mean.

    Raises:
        UserError: there is no mask, a mask lacks its scan, a scan has several masks, or a center
            is missing.
    """
    root, folder = _data_set(folder)
    images = list(_images(root, tell))
    scans = [image for image in images if not image.is_mask]
    masks = [image for image in images if image.is_mask and image.path.is_relative_to(folder)]
    if not masks:
        raise UserError(
            f"The BIDS folder {folder} has no masks: expected sub-01_dseg.nii.gz or "
            "sub-01_..._seg.nii.gz beside the scans, or in derivatives/PIPELINE/sub-01/anat."
        )
    pairs: dict[Path, _Image] = {}
    for mask in masks:
        scan = _scan_of(mask, scans)
        if scan.path in pairs:
            raise UserError(
                f"The scan {scan.path} has the masks {pairs[scan.path].path} and {mask.path}: "
                "keep one of them, or give the folder of one pipeline "
                f"({root / DERIVATIVES}/PIPELINE)."
            )
        pairs[scan.path] = mask
    left = [scan.path.name for scan in scans if scan.path not in pairs and not scan.source]
    if left:
        tell(f"{len(left)} scan(s) have no mask and are left out: {listed(left)}.")
    participants = root / PARTICIPANTS
    if rule is None and has_centers(participants):
        rule = read_center_table(participants)
        tell(f"The centers are those of {participants}.")
    return [_case(root, path, mask, rule, labels) for path, mask in sorted(pairs.items())]


def _data_set(folder: Path) -> tuple[Path, Path]:
    """The data set that a folder of derivatives belongs to, where its scans are there."""
    inside = folder.absolute()
    for above in (inside, *inside.parents):
        if above.name == DERIVATIVES and any(above.parent.glob("sub-*")):
            return above.parent, inside
    return folder, folder


def _images(root: Path, tell: Tell) -> Iterator[_Image]:
    for here, names in walk(root, tell):
        steps = here.relative_to(root).parts
        if {"sourcedata", "code", "stimuli"} & set(steps[:1]):
            continue
        subject = next((n for n, step in enumerate(steps) if step.startswith("sub-")), len(steps))
        for name in names:
            stem = image_stem(name)
            if stem and name.lower().endswith(SEGMENTATION_SUFFIX):  # as Slicer saves it
                stem = stem[: -len(".seg")] + "_seg"
            *parts, suffix = (stem or "").split("_")
            if not parts or not parts[0].startswith("sub-") or suffix in _NOT_SCANS:
                continue
            entities = dict(part.split("-", 1) for part in parts if "-" in part)
            scan = "" if "-" in parts[-1] else parts[-1]
            yield _Image(here / name, entities, suffix, scan, steps[:subject])


def _scan_of(mask: _Image, scans: Sequence[_Image]) -> _Image:
    """The scan that a mask was drawn on."""
    space = mask.entities.get("space")
    patient = [
        scan
        for scan in scans
        if all(scan.entities.get(name) == mask.entities.get(name) for name in ("sub", "ses"))
        and (not mask.scan or scan.suffix == mask.scan)
    ]
    fits = [scan for scan in patient if _has_space(scan, space, mask)]
    exact = [scan for scan in fits if scan.own == mask.own]
    fits = exact or [scan for scan in fits if mask.own.items() <= scan.own.items()]
    if len(fits) > 1:
        fits = _by_sources(mask, fits)
    if len(fits) == 1:
        return fits[0]
    if not fits:
        raise UserError(
            f"The mask {mask.path} has no scan of its name: expected one in anat with the same "
            "sub, ses, acq, run...; add it, or move the mask elsewhere."
        )
    raise UserError(
        f"The mask {mask.path} may belong to several scans ({listed(s.path.name for s in fits)}): "
        "give it the scan's whole name with _dseg at the end, or name the scan as Sources in its "
        "JSON file."
    )


def _has_space(scan: _Image, space: str | None, mask: _Image) -> bool:
    """Whether a scan is the raw one, or of the mask's own pipeline and in its space."""
    if scan.source and scan.source != mask.source:
        return False
    own = scan.entities.get("space")
    return own == space or (own is None and (space in _OWN_SPACES or space == scan.suffix))


def _by_sources(mask: _Image, fits: list[_Image]) -> list[_Image]:
    """The one that the mask's JSON file names; else all."""
    sidecar = mask.path.with_name((image_stem(mask.path.name) or "") + ".json")
    content = read_table(sidecar) or {} if sidecar.is_file() else {}
    named = [content.get(key) for key in ("Sources", "RawSources")]
    sources = [one for value in named for one in (value if isinstance(value, list) else [value])]
    files = {source.rsplit("/", 1)[-1] for source in sources if isinstance(source, str)}
    return [scan for scan in fits if scan.path.name in files] or fits


def _case(
    root: Path, scan: Path, mask: _Image, rule: CenterRule | None, labels: LabelRules
) -> Case:
    case = Case(f"sub-{mask.entities['sub']}", "", scan, mask.path)
    named = _named(root, mask, labels)
    if named is None:
        case = replace(case, labels=labels)
    else:
        case = replace(case, relabel=named.relabel, dropped=named.dropped)
    return with_center(case, root, rule)


def _named(root: Path, mask: _Image, labels: LabelRules) -> NamedValues | None:
    """What the values mean, by the table beside the mask or above it."""
    stem = image_stem(mask.path.name) or ""
    for folder in mask.path.parents:
        names = [f"{stem}.tsv", "dseg.tsv", f"desc-{mask.entities.get('desc')}_dseg.tsv"]
        table = next((folder / name for name in names if (folder / name).is_file()), None)
        if table is not None:
            return relabel_by_name(_names(table), str(table), labels)
        if folder == root:
            break
    return None


def _names(table: Path) -> dict[str, tuple[int, ...]]:
    """Names and values in a table with the columns index and name."""
    wrong = UserError(
        f"The table {table} does not name the mask's values: expected the columns index and name "
        "between tabs, with a number and a name in each row."
    )
    values: dict[str, list[int]] = defaultdict(list)
    for row in read_rows(table, "table"):
        index, name = row.get("index", "").strip(), row.get("name", "").strip()
        if not index.isdecimal() or not name:
            raise wrong
        values[name].append(int(index))
    if not values:
        raise wrong
    return {name: tuple(numbers) for name, numbers in values.items()}
