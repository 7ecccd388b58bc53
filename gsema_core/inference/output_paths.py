"""Output paths, checked before the long work rather than after it."""

from __future__ import annotations

from pathlib import Path

from gsema_core.errors import UserError
from gsema_core.files.atomic import check_writable
from gsema_core.files.writing import check_output_name


def check_outputs(
    labels: Path,
    probabilities: Path | None = None,
    report: Path | None = None,
    profile: Path | None = None,
    *,
    source: Path | None = None,
) -> None:
    """Make sure that the outputs can be written.

    Args:
        labels: an image file to be written.
        probabilities: likewise.
        report: a JSON file to be written.
        profile: likewise.
        source: the scan, a file or a folder, which must not be overwritten.

    Raises:
        UserError: unknown format, no such folder, no right or no space to write there, two
            outputs are one file, or one is the scan.
    """
    outputs = [path for path in (labels, probabilities, report, profile) if path is not None]
    for path in (labels, probabilities):
        if path is not None:
            check_output_name(path)
    for name, path in (("report", report), ("profile", profile)):
        if path is not None and path.suffix.lower() != ".json":
            raise UserError(f"The {name} {path} is JSON: end its name with .json.")
    if source is not None and any(_is_part(path, source) for path in outputs):
        raise UserError(f"An output would overwrite the scan {source}: give it another name.")
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise UserError("Two outputs have the same name: give each its own.")
    for path in outputs:
        check_writable(path)


def _is_part(output: Path, source: Path) -> bool:
    """Whether writing an output would replace the scan, or a slice of it by way of a link."""
    target, scan = output.resolve(), source.resolve()
    return target == scan or (output.is_symlink() and scan in target.parents)
