from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.files import read_labels
from gsema_core.grids import Geometry, Volume
from gsema_core.inference import SegmentationResult


@pytest.fixture
def result() -> SegmentationResult:
    geometry = Geometry((5, 4, 3), (0.5, 0.6, 0.7), (1.0, 2.0, 3.0))
    labels = np.zeros(geometry.shape, dtype=np.uint8)
    labels[1, 1, 1:3] = [1, 2]
    probabilities = np.linspace(0, 1, labels.size, dtype=np.float32).reshape(labels.shape)
    return SegmentationResult(
        Volume(labels, geometry), Volume(probabilities, geometry), [], {"seconds": {}}
    )


@pytest.mark.parametrize("name", ["a.seg.nrrd", "a.nrrd", "a.nii.gz", "a.nii", "a.mha"])
@pytest.mark.parametrize("compress", [True, False])
def test_labels_come_back_from_every_format(
    result: SegmentationResult, tmp_path: Path, name: str, compress: bool
) -> None:
    path = tmp_path / name
    result.save(path, compress=compress)
    read = read_labels(path)
    np.testing.assert_array_equal(read.array, result.labels.array)
    assert read.geometry.is_close(result.labels.geometry, 1e-4)
    assert [one.name for one in tmp_path.iterdir()] == [name]
    head = path.read_bytes()[:4000]
    assert (b"Segment0_Name" in head) == name.endswith(".seg.nrrd")


def test_nrrd_is_compressed_unless_told(result: SegmentationResult, tmp_path: Path) -> None:
    result.save(tmp_path / "a.nrrd")
    assert b"encoding: gzip" in (tmp_path / "a.nrrd").read_bytes()
    result.save(tmp_path / "a.nrrd", compress=False)
    content = (tmp_path / "a.nrrd").read_bytes()
    assert b"encoding: raw" in content
    assert content.endswith(result.labels.array.tobytes())


def test_all_files_or_none(
    result: SegmentationResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when the last of three files is written: the old ones survive."""
    paths = [tmp_path / name for name in ("labels.nrrd", "probabilities.nrrd", "report.json")]
    for path in paths:
        path.write_text("old")
    real = Path.write_text

    def full(path: Path, *arguments: object, **keywords: object) -> int:
        if path.name == "report.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, *arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UserError, match=r"report\.json \(No space left on device\)"):
        result.save(*paths)
    assert [path.read_text() for path in paths] == ["old"] * 3
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_an_error_names_the_file_and_not_a_temporary_one(
    result: SegmentationResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise RuntimeError("ITK could not write")

    monkeypatch.setattr("SimpleITK.WriteImage", full)
    with pytest.raises(UserError) as caught:
        result.save(tmp_path / "labels.nrrd")
    assert str(tmp_path / "labels.nrrd") in str(caught.value)
    assert ".writing-" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_report_is_json_and_knows_the_writing(
    result: SegmentationResult, tmp_path: Path
) -> None:
    result.report["name"] = "Ärzte"
    result.save(tmp_path / "a.nrrd", tmp_path / "p.nrrd", tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text(encoding="utf-8")
    assert json.loads(text)["seconds"]["write"] >= 0
    assert "Ärzte" in text


def test_probabilities_that_were_not_made_cannot_be_written(
    result: SegmentationResult, tmp_path: Path
) -> None:
    bare = SegmentationResult(result.labels, None, [], {"seconds": {}})
    with pytest.raises(ValueError, match="without probabilities"):
        bare.save(tmp_path / "a.nrrd", tmp_path / "p.nrrd")
    assert list(tmp_path.iterdir()) == []
