from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.inference import Monitor, Segmenter
from gsema_core.labels import ANEURYSM
from gsema_core.volumes import Volume, read_labels, read_volume
from gsema_core.worker.protocol import CardRequest, DevicesRequest, SegmentRequest
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


def changed(request: SegmentRequest, **changes: object) -> SegmentRequest:
    return SegmentRequest(**{**vars(request), **changes})  # type: ignore[arg-type]


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

    watch("gsema_core.volumes.read_volume", "read")
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


def test_scan_and_teacher_stay_in_memory(
    session: Session, request_for: SegmentRequest, calls: list[str]
) -> None:
    first = session.segment(request_for, Monitor())
    assert sorted(calls) == ["load", "prepare", "read"]
    second = session.segment(changed(request_for, overlap=0.25), Monitor())
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
        ({"overlap": 2.0}, "overlap"),
        ({"device": "gpu"}, "gpu"),
        ({"output": "/no/such/folder/o.nrrd"}, "/no/such/folder"),
        ({"input": "none.nrrd"}, r"none\.nrrd"),
        ({"teacher": "nobody"}, "nobody"),
        ({"minimum_aneurysm_mm3": -1}, "smallest aneurysm"),
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
    answer = session.card(CardRequest(2, str(teacher_file)))
    assert answer["card"]["name"] == "tiny"
    assert len(answer["sha256"]) == 64
