"""What needs highdicom, and what must not: Slicer has neither it nor pydicom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from studies import forms, result_of

from gsema_core.files import read_volume


def test_a_panel_needs_no_dicom_library() -> None:
    program = (
        "import sys\n"
        "sys.modules['highdicom'] = sys.modules['pydicom'] = None\n"
        "import gsema_core.worker.session, gsema_core.inference.segmenter\n"
        "import gsema_core.inference.one_call, gsema_core.inference.folders.folder_run\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_all_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report cannot be written once the segmentation is."""
    from gsema_core.errors import UserError

    forms.save(tmp_path / "study", forms.slices(forms.Known()))
    result = result_of(read_volume(tmp_path / "study"))
    (tmp_path / "case.dcm").write_text("old")
    with pytest.raises(UserError, match=r"missing does not exist"):
        result.save(tmp_path / "case.dcm", dicom_sr=tmp_path / "missing" / "sr.dcm")
    assert (tmp_path / "case.dcm").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case.dcm", "study"]


def test_a_report_needs_segments_to_point_at(tmp_path: Path) -> None:
    forms.save(tmp_path / "study", forms.slices(forms.Known()))
    result = result_of(read_volume(tmp_path / "study"))
    with pytest.raises(ValueError, match="needs the DICOM SEG"):
        result.save(tmp_path / "case.nrrd", dicom_sr=tmp_path / "sr.dcm")
    assert [path.name for path in tmp_path.iterdir()] == ["study"]
