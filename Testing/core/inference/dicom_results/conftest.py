"""Lets the tests here share their builders, and writes objects for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gsema_core.files import read_volume
from gsema_core.inference import SegmentationResult

sys.path.insert(0, str(Path(__file__).parent))
import studies

sys.path.pop(0)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[SegmentationResult, Path, Path]]:
    """Write objects to a folder, read them as a scan, and write a SEG and an SR of it."""

    def make(objects: Any, **changes: Any) -> tuple[SegmentationResult, Path, Path]:
        studies.forms.save(tmp_path / "study", objects)
        result = studies.result_of(read_volume(tmp_path / "study"), **changes)
        seg, sr = tmp_path / "out.seg.dcm", tmp_path / "out.sr.dcm"
        result.save(seg, dicom_sr=sr)
        return result, seg, sr

    return make
