from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gsema_core
from gsema_core.errors import Cancelled, UserError
from gsema_core.grids import Volume
from gsema_core.inference import PreparedScan, Segmenter, segment_aneurysms_at
from gsema_core.inference.preparing import prepare_scan
from gsema_core.labels import ANEURYSM


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

    monkeypatch.setattr("gsema_core.inference.opening.read_volume", never)
    with pytest.raises(UserError, match="'gpu' is unknown"):
        gsema_core.segment("scan.nrrd", teacher_file, "gpu")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(teacher_file.read_bytes()[:500])
    with pytest.raises(UserError, match="cannot be used"):
        gsema_core.segment("scan.nrrd", broken)


def test_a_missing_scan_is_told(teacher_file: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.nrrd"):
        gsema_core.segment("nowhere.nrrd", teacher_file)


def test_a_click_in_a_file_and_in_a_volume_gives_the_same(
    scan_file: Path, scan: Volume, teacher_file: Path
) -> None:
    point = np.add(scan.geometry.center, [6.0, 0.0, 2.0])
    told: list[float] = []
    from_file = gsema_core.segment_at_points(
        scan_file,
        [point],
        (),
        teacher_file,
        "cpu",
        progress=lambda fraction, phase: told.append(fraction),
    )
    from_memory = gsema_core.segment_at_points(scan, [list(point)], (), str(teacher_file), "cpu")
    assert from_file.found is not None
    assert from_memory.found is not None
    assert from_file.found.box == from_memory.found.box
    np.testing.assert_array_equal(from_file.found.labels.array, from_memory.found.labels.array)
    off = np.subtract(from_file.found.measurements.centroid_lps, point)
    assert np.linalg.norm(off) < 0.3  # voxels: 0.6 mm
    assert told == sorted(told)
    assert {"read", "load", "prepare", "windows"} <= set(from_file.report["seconds"])


def test_several_points_prepare_the_scan_once(
    scan: Volume, teacher_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = []

    def counting(self: Segmenter, volume: Volume) -> PreparedScan:
        prepared.append(volume)
        return prepare_scan(volume, self.teacher.card)

    monkeypatch.setattr(Segmenter, "prepare", counting)
    points = [np.add(scan.geometry.center, offset) for offset in ([6, 0, 2], [-10, 0, 0])]
    there, nothing = segment_aneurysms_at(scan, points, (), teacher_file, "cpu")
    assert there.found is not None
    assert nothing.found is None
    assert prepared == [scan]


def test_a_bad_point_is_told_before_the_teacher_is_loaded(
    scan: Volume, teacher_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(path: object) -> None:
        raise AssertionError("the teacher was loaded")

    monkeypatch.setattr("gsema_core.inference.opening.load_teacher", never)
    with pytest.raises(UserError, match="outside the scan"):
        gsema_core.segment_at_points(scan, [(1e4, 0.0, 0.0)], (), teacher_file, "cpu")
    with pytest.raises(UserError, match="three numbers"):
        gsema_core.segment_at_points(scan, [(1.0, 2.0)], (), teacher_file, "cpu")


def test_cancel(scan_file: Path, teacher_file: Path) -> None:
    with pytest.raises(Cancelled):
        gsema_core.segment(scan_file, teacher_file, cancelled=lambda: True)
    with pytest.raises(Cancelled):
        gsema_core.segment_at_points(
            scan_file, [(0, 0, 0)], (), teacher_file, cancelled=lambda: True
        )
