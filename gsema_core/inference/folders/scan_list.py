"""The scans of a folder, and what their outputs are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gsema_core.errors import UserError
from gsema_core.files.dicom.mark import has_scan, may_be_scan
from gsema_core.files.dicom.neutral import shown_name
from gsema_core.files.image_names import (
    ARCHIVES,
    DICOM_REPORT_SUFFIX,
    DICOM_SEGMENTATION_SUFFIX,
    SEGMENTATION_SUFFIX,
    image_stem,
    is_dicom_name,
)
from gsema_core.inference.folders.resume import is_whole, is_whole_object


@dataclass(frozen=True)
class BatchItem:
    """One scan of a folder.

    Attributes:
        source: an image file, or a folder with one DICOM series.
        output: its label map; the report lies beside it, as JSON.
        dicom_seg, dicom_sr: DICOM objects of a DICOM series, where they are wanted.
    """

    source: Path
    output: Path
    dicom_seg: Path | None = None
    dicom_sr: Path | None = None

    @property
    def name(self) -> str:
        """What its outputs are called, without their suffixes."""
        return self.output.name.removesuffix(SEGMENTATION_SUFFIX)

    @property
    def title(self) -> str:
        """What the scan is called in tables and messages: by no folder of DICOM files."""
        return self.name if self.source.is_dir() else self.source.name

    @property
    def report(self) -> Path:
        return self.output.with_name(f"{self.name}.json")

    @property
    def is_done(self) -> bool:
        """Whether every output of an earlier run is there and whole."""
        objects = (self.dicom_seg, self.dicom_sr)
        return is_whole(self.output) and all(is_whole_object(one) for one in objects if one)


def is_batch(source: Path, output: Path) -> bool:
    """Whether the scans of a folder go to a folder: the output's name has no image suffix.

    With a file as output, a folder is one scan: a DICOM series.
    """
    return source.is_dir() and image_stem(output.name) is None and not is_dicom_name(output)


def find_scans(
    folder: Path, output: Path, *, dicom_seg: bool = False, dicom_sr: bool = False
) -> list[BatchItem]:
    """The scans of a folder, by name.

    These are its image files, except segmentations (``.seg.nrrd``); its subfolders that hold
    DICOM files; and the folder itself where DICOM files lie in it directly. DICOM segmentations and
    reports do not count.

    Args:
        folder: where the scans are.
        output: where their results go.
        dicom_seg, dicom_sr: which DICOM objects each DICOM series gets.

    Raises:
        UserError: there are none, or the folder cannot be read.
    """
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be read ({error.strerror}).") from error
    sources = [path for path in entries if _is_scan(path)]
    if any(may_be_scan(path) for path in entries):
        sources.append(folder)
    packed = [path.name for path in entries if path.name.lower().endswith(ARCHIVES)]
    if not sources and packed:
        raise UserError(
            f"The folder {folder} has no scans but archives ({packed[0]}), and none is opened: "
            "unpack them first."
        )
    if not sources:
        raise UserError(
            f"The folder {folder} has no scans: give one with NRRD, NIfTI or MetaImage files or "
            "with DICOM folders."
        )
    names = _output_names(sources)
    wanted = [(DICOM_SEGMENTATION_SUFFIX, dicom_seg), (DICOM_REPORT_SUFFIX, dicom_sr)]
    return [
        BatchItem(
            path,
            output / f"{name}{SEGMENTATION_SUFFIX}",
            *(output / f"{name}{end}" if yes and path.is_dir() else None for end, yes in wanted),
        )
        for path, name in zip(sources, names, strict=True)
    ]


def _is_scan(path: Path) -> bool:
    if path.is_dir():
        return has_scan(path)
    segmentation = path.name.lower().endswith(SEGMENTATION_SUFFIX)
    return image_stem(path.name) is not None and not segmentation


def _output_names(sources: Sequence[Path]) -> list[str]:
    """What the outputs of each scan are called: as its file, but by no folder of DICOM files."""
    wanted = [shown_name(path) if path.is_dir() else _stem(path) for path in sources]
    counts, seen = Counter(wanted), Counter[str]()
    names = []
    for path, name in zip(sources, wanted, strict=True):
        seen[name] += 1
        if counts[name] > 1:  # a.nii and a.nrrd; or copies of one study
            name = f"{name}_{seen[name]}" if path.is_dir() else path.name
        names.append(name)
    return names


def _stem(path: Path) -> str:
    return image_stem(path.name) or path.name
