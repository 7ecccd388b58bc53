from __future__ import annotations

import dataclasses
import json
import os
import shutil
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsema_core.errors import Cancelled, UserError
from gsema_core.files import read_labels, read_volume, write_volume
from gsema_core.grids import Volume
from gsema_core.inference import Monitor, Segmenter
from gsema_core.labels import ANEURYSM
from gsema_core.teachers import load_teacher, save_teacher
from gsema_core.worker.protocol import (
    CardRequest,
    ClickRequest,
    DevicesRequest,
    PrepareRequest,
    ScanNeededError,
    SegmentRequest,
)
from gsema_core.worker.session import Session


@pytest.fixture
def session() -> Session:
    return Session(threads=1)


@pytest.fixture
def request_for(scan_file: Path, teacher_file: Path, tmp_path: Path) -> SegmentRequest:
    return SegmentRequest(
        1,
        str(scan_file),
        str(tmp_path / "out.nrrd"),
        teacher=str(teacher_file),
        device="cpu",
        volume_key="node:1",
    )


def changed(request: Any, **changes: object) -> Any:
    return dataclasses.replace(request, **changes)


@pytest.fixture
def click_for(request_for: SegmentRequest, scan: Volume) -> ClickRequest:
    """On the scan's aneurysm."""
    x, y, z = (float(value) for value in np.add(scan.geometry.center, [6.0, 0.0, 2.0]))
    return ClickRequest(
        2,
        [[x, y, z]],
        request_for.output,
        volume_key=request_for.volume_key,
        teacher=request_for.teacher,
        device="cpu",
    )


@pytest.fixture
def prepare_for(request_for: SegmentRequest) -> PrepareRequest:
    assert request_for.volume_key is not None
    return PrepareRequest(
        3, request_for.input, request_for.volume_key, request_for.teacher, request_for.device
    )


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done in earnest: reading, preparing, loading."""
    done: list[str] = []

    def watch(target: str, name: str) -> None:
        module, _, attribute = target.rpartition(".")
        import importlib

        owner = Segmenter if target.endswith("prepare") else importlib.import_module(module)
        real = getattr(owner, attribute)

        def watched(*arguments: object, **keywords: object) -> object:
            done.append(name)
            return real(*arguments, **keywords)

        monkeypatch.setattr(owner, attribute, watched)

    watch("gsema_core.inference.opening.read_volume", "read")
    watch("gsema_core.inference.segmenter.prepare", "prepare")
    watch("gsema_core.teachers.load_teacher", "load")
    return done


def test_the_label_map_is_written_uncompressed(
    session: Session, request_for: SegmentRequest, scan: Volume
) -> None:
    answer = session.segment(request_for, Monitor())
    labels = read_labels(request_for.output)
    assert labels.geometry.is_close(scan.geometry, 1e-6)
    assert (labels.array == ANEURYSM).sum() == answer["aneurysms"][0]["voxels"]
    assert b"encoding: raw" in Path(request_for.output).read_bytes()[:2000]
    assert answer["report"]["settings"]["threads"] == 1
    assert answer["report"]["seconds"]["write"] >= 0


def test_windows_memory_and_certainty_can_be_chosen(
    session: Session, request_for: SegmentRequest
) -> None:
    chosen = {"skip_empty": False, "memory_limit_gb": 8, "minimum_certainty": 0.5}
    report = session.segment(changed(request_for, settings=chosen), Monitor())["report"]
    assert report["settings"]["skip_empty"] is False
    assert report["settings"]["memory_limit_gb"] == 8
    assert report["settings"]["minimum_certainty"] == 0.5
    assert report["windows"]["skipped_share"] == 0


@pytest.mark.parametrize(
    "wrong", [{"memory_limit_gb": 0}, {"memory_limit_gb": -3}, {"minimum_certainty": 1.5}]
)
def test_settings_out_of_range_are_told(
    session: Session, request_for: SegmentRequest, wrong: dict[str, float]
) -> None:
    (value,) = wrong.values()
    with pytest.raises(UserError, match=f"is {value}: give a number from"):
        session.segment(changed(request_for, settings=wrong), Monitor())
    assert not Path(request_for.output).exists()


def test_scan_and_teacher_stay_in_memory(
    session: Session, request_for: SegmentRequest, calls: list[str]
) -> None:
    first = session.segment(request_for, Monitor())
    assert sorted(calls) == ["load", "prepare", "read"]
    second = session.segment(changed(request_for, settings={"overlap": 0.25}), Monitor())
    assert len(calls) == 3
    assert second["aneurysms"][0]["voxels"] == pytest.approx(first["aneurysms"][0]["voxels"])
    session.segment(changed(request_for, volume_key="node:2"), Monitor())
    assert calls[3:] == ["read", "prepare"]
    session.segment(changed(request_for, volume_key=None), Monitor())
    session.segment(changed(request_for, volume_key=None), Monitor())
    assert calls[5:] == ["read", "prepare"] * 2


def test_a_kept_scan_is_used_even_when_its_file_is_gone(
    session: Session, request_for: SegmentRequest, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.nrrd"
    shutil.copy(request_for.input, copy)
    request = changed(request_for, input=str(copy))
    session.segment(request, Monitor())
    copy.unlink()
    assert session.segment(request, Monitor())["aneurysms"]
    with pytest.raises(UserError, match=r"copy\.nrrd"):
        session.segment(changed(request, volume_key="node:2"), Monitor())


def test_a_teacher_replaced_on_the_disk_is_loaded_again(
    session: Session, request_for: SegmentRequest, calls: list[str], tmp_path: Path
) -> None:
    copy = tmp_path / "copy.safetensors"
    shutil.copy(request_for.teacher, copy)
    request = changed(request_for, teacher=str(copy))
    session.segment(request, Monitor())
    os.utime(copy, ns=(1, 1))
    session.segment(request, Monitor())
    assert calls == ["read", "load", "prepare", "load"]
    copy.write_bytes(b"something else")
    with pytest.raises(UserError, match="no safetensors"):
        session.segment(request, Monitor())


def test_probabilities_are_written_where_asked_for(
    session: Session, request_for: SegmentRequest, tmp_path: Path, scan: Volume
) -> None:
    path = tmp_path / "p.nrrd"
    session.segment(changed(request_for, probabilities=str(path)), Monitor())
    probabilities = read_volume(path)
    assert probabilities.array.dtype == np.float32
    assert probabilities.geometry.is_close(scan.geometry, 1e-6)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"settings": {"overlap": 2.0}}, "overlap"),
        ({"device": "gpu"}, "gpu"),
        ({"output": "/no/such/folder/o.nrrd"}, "/no/such/folder"),
        ({"input": "none.nrrd"}, r"none\.nrrd"),
        ({"teacher": "nobody"}, "nobody"),
        ({"settings": {"minimum_aneurysm_mm3": -1}}, "minimum_aneurysm"),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_written(
    session: Session, request_for: SegmentRequest, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        session.segment(changed(request_for, **changes), Monitor())
    assert list(Path(request_for.output).parent.iterdir()) == []


def test_the_scan_is_not_overwritten(session: Session, request_for: SegmentRequest) -> None:
    with pytest.raises(UserError, match="overwrite the scan"):
        session.segment(changed(request_for, output=request_for.input), Monitor())


def test_devices_and_cards(session: Session, teacher_file: Path) -> None:
    assert session.devices(DevicesRequest(1))["devices"][-1]["name"] == "cpu"
    from gsema_core.teachers import read_card

    measured = session.devices(DevicesRequest(1, teacher=str(teacher_file), device="cpu"))
    assert measured["device"] == "cpu"
    assert 0 < measured["window_seconds"] < 60
    assert measured["window"] == list(read_card(teacher_file).window)
    assert measured["spacing_mm"] == read_card(teacher_file).spacing_mm
    with pytest.raises(UserError, match="toaster"):
        session.devices(DevicesRequest(1, device="toaster"))
    answer = session.card(CardRequest(2, str(teacher_file)))
    assert answer["card"]["name"] == "tiny"
    assert len(answer["sha256"]) == 64


def test_a_prepared_scan_is_clicked_at_without_its_file(
    session: Session,
    prepare_for: PrepareRequest,
    click_for: ClickRequest,
    calls: list[str],
    scan: Volume,
) -> None:
    prepared = session.prepare(prepare_for, Monitor())
    assert prepared["geometry"]["size"] == list(scan.geometry.size)
    assert prepared["device"] == "cpu"
    assert set(prepared["seconds"]) == {"read", "load", "prepare"}
    assert sorted(calls) == ["load", "prepare", "read"]
    answer = session.click(click_for, Monitor())
    assert len(calls) == 3
    assert json.loads(json.dumps(answer, allow_nan=False))["found"] is True
    labels = read_labels(click_for.output)
    assert (labels.array == ANEURYSM).sum() == answer["aneurysm"]["voxels"] > 500
    assert list(labels.geometry.size) == answer["box"]["size_ijk"]
    first = scan.geometry.world_to_index(labels.geometry.origin)
    np.testing.assert_allclose(first, answer["box"]["start_ijk"], atol=1e-4)
    assert b"encoding: raw" in Path(click_for.output).read_bytes()[:2000]
    assert answer["report"]["settings"]["threads"] == 1
    assert answer["report"]["teacher"]["name"] == "tiny"


def test_preparing_clicking_and_segmenting_share_what_is_kept(
    session: Session,
    prepare_for: PrepareRequest,
    click_for: ClickRequest,
    request_for: SegmentRequest,
    calls: list[str],
) -> None:
    session.segment(request_for, Monitor())
    session.prepare(prepare_for, Monitor())
    session.click(click_for, Monitor())
    session.segment(request_for, Monitor())
    assert len(calls) == 3
    session.click(changed(click_for, input=request_for.input, volume_key="node:2"), Monitor())
    assert calls[3:] == ["read", "prepare"]
    session.click(changed(click_for, input=request_for.input, volume_key=None), Monitor())
    assert calls[5:] == ["read", "prepare"]


def test_a_click_finds_the_same_as_a_whole_run(
    session: Session, request_for: SegmentRequest, click_for: ClickRequest
) -> None:
    whole = session.segment(changed(request_for, settings={"aneurysm_threshold": 0.5}), Monitor())
    clicked = session.click(changed(click_for, settings={"aneurysm_threshold": 0.5}), Monitor())
    assert clicked["threshold"] == 0.5
    alone = session.click(
        changed(click_for, settings={"aneurysm_threshold": 0.5}, vessels=False), Monitor()
    )
    assert alone["box"] == clicked["box"]
    assert alone["aneurysm"]["voxels"] == clicked["aneurysm"]["voxels"]
    assert alone["aneurysm"]["parent_vessel_diameter_mm"] is None
    assert whole["report"]["settings"]["aneurysm_threshold"] == 0.5
    assert clicked["aneurysm"]["voxels"] == whole["aneurysms"][0]["voxels"]


def test_nothing_found_writes_nothing(
    session: Session, prepare_for: PrepareRequest, click_for: ClickRequest, scan: Volume
) -> None:
    session.prepare(prepare_for, Monitor())
    old = Path(click_for.output)
    old.write_text("old")
    away = [float(value) for value in np.add(scan.geometry.center, [-9.0, 3.0, -5.0])]
    answer = session.click(changed(click_for, inside_lps=[away]), Monitor())
    assert answer["found"] is False
    assert answer["box"] is None
    assert answer["aneurysm"] is None
    assert answer["message"].startswith("There is no aneurysm at R ")
    assert answer["highest_probability"] > 0.9
    assert old.read_text() == "old"


def test_a_scan_that_is_not_kept_is_asked_for(
    session: Session,
    prepare_for: PrepareRequest,
    click_for: ClickRequest,
    teacher_file: Path,
    tmp_path: Path,
) -> None:
    with pytest.raises(ScanNeededError, match="'node:1'"):
        session.click(click_for, Monitor())
    session.prepare(prepare_for, Monitor())
    for changes in ({"volume_key": "node:2"}, {"volume_key": None}):
        with pytest.raises(ScanNeededError, match="send its file"):
            session.click(changed(click_for, **changes), Monitor())
    teacher = load_teacher(teacher_file)
    other = tmp_path / "other.safetensors"
    save_teacher(other, teacher.network, dataclasses.replace(teacher.card, spacing_mm=1.0))
    with pytest.raises(ScanNeededError):
        session.click(changed(click_for, teacher=str(other)), Monitor())
    assert session.click(click_for, Monitor())["found"] is True


def test_the_key_tells_whether_a_file_has_changed(
    session: Session, click_for: ClickRequest, scan: Volume, tmp_path: Path
) -> None:
    path = tmp_path / "scan.nrrd"
    write_volume(scan, path)
    request = changed(click_for, input=str(path))
    assert session.click(request, Monitor())["found"] is True
    write_volume(Volume(scan.array[::-1, ::-1, ::-1].copy(), scan.geometry), path)
    assert session.click(request, Monitor())["found"] is True
    assert session.click(changed(request, volume_key="node:2"), Monitor())["found"] is False


def test_only_the_last_scan_is_kept(
    session: Session,
    prepare_for: PrepareRequest,
    scan: Volume,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrays = []

    def reading(path: object, series: int | None) -> Volume:
        array = scan.array.copy()
        arrays.append(weakref.ref(array))
        return Volume(array, scan.geometry)

    monkeypatch.setattr("gsema_core.inference.opening.read_volume", reading)
    session.prepare(prepare_for, Monitor())
    session.prepare(changed(prepare_for, volume_key="node:2"), Monitor())
    assert [reference() is None for reference in arrays] == [True, False]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"inside_lps": [[1e4, 0.0, 0.0]]}, "outside the scan"),
        ({"inside_lps": [[float("nan"), 0.0, 0.0]]}, "inside_lps"),
        ({"settings": {"aneurysm_threshold": 1.5}}, "threshold is 1.5"),
        ({"settings": {"precision": "int8"}}, "int8"),
        ({"settings": {"minimum_vessel_mm3": 20}}, "minimum_vessel_mm3 is for whole scans"),
        ({"device": "gpu"}, "gpu"),
        ({"teacher": "nobody"}, "nobody"),
        ({"output": "/no/such/folder/o.nrrd"}, "/no/such/folder"),
        ({"input": "none.nrrd", "volume_key": None}, r"none\.nrrd"),
    ],
)
def test_a_click_that_cannot_be_done_is_told_and_nothing_written(
    session: Session,
    prepare_for: PrepareRequest,
    click_for: ClickRequest,
    changes: dict[str, object],
    told: str,
) -> None:
    session.prepare(prepare_for, Monitor())
    with pytest.raises(UserError, match=told):
        session.click(changed(click_for, **changes), Monitor())
    assert list(Path(click_for.output).parent.iterdir()) == []


def test_a_click_does_not_overwrite_the_scan(
    session: Session, click_for: ClickRequest, request_for: SegmentRequest
) -> None:
    scan_file = request_for.input
    with pytest.raises(UserError, match="overwrite the scan"):
        session.click(changed(click_for, input=scan_file, output=scan_file), Monitor())


@pytest.mark.parametrize("phase", ["Loading", "Segmenting", "Returning", "Measuring"])
def test_cancelling_a_click_writes_nothing_and_keeps_the_scan(
    session: Session, prepare_for: PrepareRequest, click_for: ClickRequest, phase: str
) -> None:
    session.prepare(prepare_for, Monitor())
    reached: list[str] = []

    def cancelled() -> bool:
        return bool(reached) and reached[-1].startswith(phase)

    with pytest.raises(Cancelled):
        session.click(click_for, Monitor(lambda fraction, text: reached.append(text), cancelled))
    assert list(Path(click_for.output).parent.iterdir()) == []
    assert session.click(click_for, Monitor())["found"] is True


def test_cancelling_a_preparation(
    session: Session, prepare_for: PrepareRequest, click_for: ClickRequest
) -> None:
    reached: list[str] = []
    monitor = Monitor(
        lambda fraction, text: reached.append(text), lambda: "Preparing the scan" in reached
    )
    with pytest.raises(Cancelled):
        session.prepare(prepare_for, monitor)
    with pytest.raises(ScanNeededError):
        session.click(click_for, Monitor())
