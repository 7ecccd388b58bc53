"""Results of an earlier run: whether they are whole, and what they were made with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.image_files import check_image_file
from gsema_core.files.text_files import read_table
from gsema_core.inference.settings import SegmentationSettings


@dataclass(frozen=True)
class EarlierResult:
    """A label map that is there and whole.

    Attributes:
        report: what lies beside it; None where that is no report.
    """

    report: dict[str, Any] | None

    def compared(self, teacher_hash: str, settings: SegmentationSettings) -> str:
        """In words, how it was made, as against now."""
        report: Any = self.report  # of a file that anybody may have written
        try:
            theirs, sha256 = report["settings"], report["teacher"]["sha256"]
            different = [name for name, value in settings.deciding.items() if theirs[name] != value]
        except (KeyError, TypeError):
            return "its output is there, without a report of how it was made"
        if sha256 != teacher_hash:
            return "its output is there, by another teacher: delete it to have it made again"
        if different:
            what = different[0].replace("_", " ")
            return f"its output is there, with another {what}: delete it to have it made again"
        return "its output is there"


def earlier_result(labels: Path, report: Path) -> EarlierResult | None:
    """The result of an earlier run; None where the label map is missing or damaged.

    One that was made with other settings is a result too: it may have been corrected by hand.
    """
    if not labels.is_file():
        return None
    try:
        check_image_file(labels)
    except (UserError, OSError):
        return None
    return EarlierResult(read_table(report))
