"""What the names of files and folders say: scan or label map, and of which name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_LABEL_WORDS = "labels?|labelmap|seg|segmentation|masks?|labeledmasks|gt"
_IMAGE_WORDS = "image|img|volume|scan|orig|0000"
_LABEL_END = re.compile(rf"(?:(.+)[-_. ])?(?:{_LABEL_WORDS})", re.IGNORECASE)
_IMAGE_END = re.compile(rf"(?:(.+)[-_. ])?(?:{_IMAGE_WORDS})", re.IGNORECASE)
_LABEL_START = re.compile(rf"(?:{_LABEL_WORDS})(?:[-_. ]+|(?=\d))(.+)", re.IGNORECASE)
_IMAGE_START = re.compile(r"(?:image|img|volume|scan)(?:[-_. ]+|(?=\d))(.+)", re.IGNORECASE)
_MODALITY = re.compile(r"(.+)[-_. ](?:cta|mra|tof|dsa|3dra|angio|ct|mr)", re.IGNORECASE)
_TIME = re.compile(
    r"(.+?)[-_. ](?:(?:t|tp|ses|session|visit|fu|followup)[-_]?\d{1,2}|fu|followup|bl|baseline"
    r"|pre|post|(?:19|20)\d\d([-_]?)[01]\d\2[0-3]\d)",
    re.IGNORECASE,
)
_SUBJECT = re.compile(r"(sub-[A-Za-z0-9]+)(?:_.*)?")

LABEL_FOLDERS = {"label", "labels", "labelstr", "labelsts", "masks", "segmentations"}
IMAGE_FOLDERS = {"image", "images", "imagestr", "imagests", "scans", "volumes"}

USE_FOLDERS = {
    "train": "training", "training": "training",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
"""Folders that say what their cases are for, where there are two kinds of them."""


@dataclass(frozen=True)
class NamedFile:
    """What a file's place and name say.

    Attributes:
        home: the folders that it shares with its partner, from the given folder on.
        name: what it shares with its partner; empty where the file is only called image or label.
        is_label: whether it is a label map.
        is_test: whether nnU-Net's names for test cases are used.
    """

    home: tuple[str, ...]
    name: str
    is_label: bool
    is_test: bool = False


def named_file(folders: tuple[str, ...], stem: str) -> NamedFile:
    """Tell scan from label map.

    Args:
        folders: that the file is in, from the given folder on.
        stem: its name without suffix.

    >>> named_file(("A", "labelsTr"), "p1")
    NamedFile(home=('A',), name='p1', is_label=True, is_test=False)
    >>> named_file((), "A001_orig").name, named_file((), "A001_labeledMasks").name  # as CADA has it
    ('A001', 'A001')
    >>> named_file((), "mask_07").name, named_file((), "p1-labels").name, named_file((), "gt").name
    ('07', 'p1', '')
    """
    kinds = [folder.lower() for folder in folders]
    places = [n for n, kind in enumerate(kinds) if kind in LABEL_FOLDERS | IMAGE_FOLDERS]
    if places:
        place = places[-1]
        is_label = kinds[place] in LABEL_FOLDERS
        home = folders[:place] + folders[place + 1 :]
        return NamedFile(home, _bare(stem, is_label), is_label, kinds[place].endswith("ts"))
    is_label = bool(_LABEL_END.fullmatch(stem) or _LABEL_START.fullmatch(stem))
    return NamedFile(folders, _bare(stem, is_label), is_label)


def _bare(stem: str, is_label: bool) -> str:
    """The name without the words that say what the file is."""
    end, start = (_LABEL_END, _LABEL_START) if is_label else (_IMAGE_END, _IMAGE_START)
    name = stem
    while found := end.fullmatch(name):  # Slicer's own: Segmentation.seg.nrrd
        name = found[1] or ""
    found = start.fullmatch(name)
    return found[1] if found else name


def key(name: str) -> str:
    """What two names share that are one to people: other case, or accents spelled in two ways."""
    return unicodedata.normalize("NFC", name).casefold()


def without_modality(name: str) -> str:
    """The name without the scan's kind at its end.

    >>> without_modality("p1_CTA"), without_modality("tof")
    ('p1', 'tof')
    """
    found = _MODALITY.fullmatch(name)
    return found[1] if found else name


def patient_name(name: str) -> str:
    """The name without what says only when the patient was imaged, so that scans stay together.

    >>> patient_name("p7_2019-05-28"), patient_name("p7_t0"), patient_name("sub-7_run-1_angio")
    ('p7', 'p7', 'sub-7')
    >>> patient_name("p7"), patient_name("p_7"), patient_name("p7_0000")
    ('p7', 'p_7', 'p7_0000')
    """
    found = _TIME.fullmatch(name)
    return subject(name) or (found[1] if found else name)


def subject(name: str) -> str | None:
    """The patient in a name as BIDS has them, whatever the session or the run.

    >>> subject("sub-07_ses-2_run-1_angio"), subject("sub-07"), subject("p7")
    ('sub-07', 'sub-07', None)
    """
    found = _SUBJECT.fullmatch(name)
    return found[1] if found else None
