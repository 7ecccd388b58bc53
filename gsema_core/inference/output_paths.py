"""Output paths, checked before the long work rather than after it."""

from __future__ import annotations

from pathlib import Path

from gsema_core.errors import UserError
from gsema_core.files.atomic import check_writable
from gsema_core.files.dicom.mark import is_dicom, may_be_scan
from gsema_core.files.image_names import (
    DICOM_REPORT_SUFFIX,
    DICOM_SEGMENTATION_SUFFIX,
    beside,
    is_dicom_name,
)
from gsema_core.files.writing import check_output_name

BESIDE = Path()
"""In place of a DICOM object's path: where the labels go, under their name."""


def dicom_paths(
    output: Path, dicom_seg: Path | None, dicom_sr: Path | None
) -> tuple[Path | None, Path | None]:
    """Where a scan's DICOM SEG and SR go.

    Args:
        output: what was given for the labels; with the suffix ``.dcm`` it is the SEG.
        dicom_seg, dicom_sr: what was given for them; ``BESIDE`` where only that they are wanted.

    Raises:
        UserError: there are two places for the SEG, or an SR without one.
    """
    if is_dicom_name(output):
        if dicom_seg is not None:
            raise UserError(f"The output {output} is the DICOM SEG: leave out --dicom-seg.")
        dicom_seg = output
    if dicom_sr is not None and dicom_seg is None:
        raise UserError("A DICOM SR points at the segments of a DICOM SEG: add --dicom-seg.")
    if dicom_seg == BESIDE:
        dicom_seg = beside(output, DICOM_SEGMENTATION_SUFFIX)
    if dicom_sr == BESIDE:
        dicom_sr = beside(output, DICOM_REPORT_SUFFIX)
    return dicom_seg, dicom_sr


def check_outputs(
    labels: Path | None,
    probabilities: Path | None = None,
    report: Path | None = None,
    profile: Path | None = None,
    *,
    dicom_seg: Path | None = None,
    dicom_sr: Path | None = None,
    source: Path | None = None,
) -> None:
    """Make sure that the outputs can be written.

    Args:
        labels: an image file to be written.
        probabilities: likewise.
        report: a JSON file to be written.
        profile: likewise.
        dicom_seg, dicom_sr: DICOM files to be written.
        source: the scan, a file or a folder, which must not be overwritten.

    Raises:
        UserError: unknown format, no such folder, no right or no space to write there, two
            outputs are one file, or one is the scan or another DICOM image; or a DICOM object is
            wanted for a scan that is no DICOM.
    """
    all_paths = (labels, probabilities, report, profile, dicom_seg, dicom_sr)
    outputs = [path for path in all_paths if path is not None]
    for path in (labels, probabilities):
        if path is not None:
            check_output_name(path)
    for name, path in (("report", report), ("profile", profile)):
        if path is not None and path.suffix.lower() != ".json":
            raise UserError(f"The {name} {path} is JSON: end its name with .json.")
    for path in (dicom_seg, dicom_sr):
        if path is not None:
            _check_dicom(path, source)
    if source is not None and any(_is_part(path, source) for path in outputs):
        raise UserError(f"An output would overwrite the scan {source}: give it another name.")
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise UserError("Two outputs have the same name: give each its own.")
    for path in outputs:
        check_writable(path)


def _check_dicom(path: Path, source: Path | None) -> None:
    if not is_dicom_name(path):
        raise UserError(f"The output {path} is DICOM: end its name with .dcm.")
    if source is not None and source.is_file() and not is_dicom(source):
        raise UserError(
            f"The scan {source} is no DICOM series, so no DICOM object can refer to it: give the "
            "DICOM series, or write another format."
        )
    if may_be_scan(path):
        raise UserError(f"The output {path} is a DICOM image already: give it another name.")


def _is_part(output: Path, source: Path) -> bool:
    """Whether writing an output would replace the scan, or a slice of it by way of a link."""
    target, scan = output.resolve(), source.resolve()
    return target == scan or (output.is_symlink() and scan in target.parents)
