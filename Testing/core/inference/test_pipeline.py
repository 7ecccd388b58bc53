from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gsema_core
from gsema_core.errors import Cancelled, UserError
from gsema_core.labels import ANEURYSM
from gsema_core.volumes import Volume


def test_a_file_and_a_volume_give_the_same(
    scan_file: Path, scan: Volume, teacher_file: Path
) -> None:
    told: list[float] = []
    from_file = gsema_core.segment(
        scan_file, teacher_file, "cpu", progress=lambda fraction, phase: told.append(fraction)
    )
    from_memory = gsema_core.segment(scan, str(teacher_file), "cpu")
    assert (from_file.labels.array == ANEURYSM).any()
    np.testing.assert_array_equal(from_file.labels.array, from_memory.labels.array)
    assert told == sorted(told)
    assert {"read", "load", "windows"} <= set(from_file.report["seconds"])


def test_bad_input_is_told_before_the_scan_is_read(
    tmp_path: Path, teacher_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(path: object) -> Volume:
        raise AssertionError("the scan was read")

    monkeypatch.setattr("gsema_core.inference.pipeline.read_volume", never)
    with pytest.raises(UserError, match="'gpu' is unknown"):
        gsema_core.segment("scan.nrrd", teacher_file, "gpu")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(teacher_file.read_bytes()[:500])
    with pytest.raises(UserError, match="ends too early"):
        gsema_core.segment("scan.nrrd", broken)


def test_a_missing_scan_is_told(teacher_file: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.nrrd"):
        gsema_core.segment("nowhere.nrrd", teacher_file)


def test_cancel(scan_file: Path, teacher_file: Path) -> None:
    with pytest.raises(Cancelled):
        gsema_core.segment(scan_file, teacher_file, cancelled=lambda: True)
