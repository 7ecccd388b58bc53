from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.files import read_labels
from gsema_core.grids import Geometry
from gsema_core.inference import ClickResult, SegmentationSettings, Segmenter
from gsema_core.labels import ANEURYSM


@pytest.fixture(scope="module")
def result(segmenter: Segmenter, scan_with: Any, oblique: Geometry) -> ClickResult:
    scan = scan_with(oblique, ((6.0, 0.0, 0.0), 4.0))
    point = np.add(oblique.center, [6.0, 0.0, 0.0])
    return segmenter.segment_at_points(scan, [point], (), SegmentationSettings(threads=1))


@pytest.mark.parametrize("name", ["a.nrrd", "a.seg.nrrd", "a.nii.gz"])
def test_the_file_lies_on_the_scans_grid(result: ClickResult, tmp_path: Path, name: str) -> None:
    result.save(tmp_path / name)
    labels = read_labels(tmp_path / name)
    assert result.found is not None
    np.testing.assert_array_equal(labels.array, result.found.labels.array)
    assert labels.geometry.is_close(result.found.labels.geometry, 1e-4)
    first = result.geometry.world_to_index(labels.geometry.origin)
    start = [side.start for side in reversed(result.found.box)]
    np.testing.assert_allclose(first, start, atol=1e-4)


def test_uncompressed_where_told(result: ClickResult, tmp_path: Path) -> None:
    path = tmp_path / "a.nrrd"
    result.save(path)
    assert b"encoding: gzip" in path.read_bytes()
    result.save(path, compress=False)
    assert b"encoding: raw" in path.read_bytes()


def test_a_file_that_cannot_be_written(result: ClickResult, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        result.save(tmp_path / "none" / "a.nrrd")


def test_plain_values_for_json(result: ClickResult) -> None:
    values = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert result.found is not None
    assert values["found"] is True
    assert values["message"] == ""
    k, j, i = result.found.box
    assert values["box"] == {
        "start_ijk": [i.start, j.start, k.start],
        "size_ijk": [side.stop - side.start for side in (i, j, k)],
    }
    assert values["aneurysm"]["voxels"] == (result.found.labels.array == ANEURYSM).sum()
    assert values["inside_lps"] == [list(result.clicks.inside[0])]
    assert values["highest_probability"] >= values["probability"] > values["threshold"]
