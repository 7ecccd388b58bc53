from __future__ import annotations

import json

import numpy as np
import pytest

from gsema_core.measurements import Aneurysm, measure_aneurysms
from gsema_core.volumes import Geometry, Volume

OBLIQUE = (0.8, -0.6, 0.0, 0.0, 0.0, -1.0, 0.6, 0.8, 0.0)


def ellipsoid(
    geometry: Geometry, center_lps: np.ndarray, axes_mm: tuple[float, ...], value: int = 2
) -> np.ndarray:
    k, j, i = np.indices(geometry.shape)
    points = geometry.index_to_world(np.stack([i, j, k], axis=-1).reshape(-1, 3))
    inside = (((points - center_lps) / axes_mm) ** 2).sum(axis=1) <= 1
    return inside.reshape(geometry.shape).astype(np.uint8) * value


def measure(array: np.ndarray, geometry: Geometry) -> list[Aneurysm]:
    return measure_aneurysms(Volume(array.astype(np.uint8), geometry))


@pytest.mark.parametrize("spacing", [(0.3, 0.3, 0.3), (0.25, 0.3, 0.5)])
@pytest.mark.parametrize(
    "axes_mm", [(1.5, 1.5, 1.5), (4.0, 4.0, 4.0), (2.0, 2.0, 4.5), (5.0, 2.5, 3.0)]
)
def test_ellipsoids(spacing: tuple[float, float, float], axes_mm: tuple[float, ...]) -> None:
    size = tuple(int(14 / s) for s in spacing)
    geometry = Geometry(size, spacing, (20.0, -30.0, 40.0), OBLIQUE)  # type: ignore[arg-type]
    center = np.add(geometry.center, (0.33, -0.21, 0.14))
    (found,) = measure(ellipsoid(geometry, center, axes_mm), geometry)
    assert found.index == 1
    assert found.volume_ml == pytest.approx(4 / 3 * np.pi * np.prod(axes_mm) / 1000, rel=0.04)
    assert found.largest_diameter_mm == pytest.approx(2 * max(axes_mm), abs=0.5 * max(spacing))
    assert np.linalg.norm(found.centroid_lps - center) < 0.1
    np.testing.assert_allclose(
        geometry.index_to_world(found.centroid_ijk), found.centroid_lps, atol=1e-9
    )


def test_the_hull_gives_what_all_pairs_give(monkeypatch: pytest.MonkeyPatch) -> None:
    geometry = Geometry((40, 40, 40), (0.3, 0.3, 0.3))
    array = ellipsoid(geometry, np.array(geometry.center) + 0.1, (5.0, 4.0, 3.0))
    from gsema_core.measurements import aneurysms

    (by_hull,) = measure(array, geometry)
    assert (array > 0).sum() > aneurysms.ALL_PAIRS_POINTS
    monkeypatch.setattr(aneurysms, "ALL_PAIRS_POINTS", 10**9)
    (by_pairs,) = measure(array, geometry)
    assert by_hull.largest_diameter_mm == pytest.approx(by_pairs.largest_diameter_mm, abs=1e-9)


def test_a_large_flat_one_has_a_diameter() -> None:
    array = np.zeros((3, 60, 60))
    array[1] = 2
    geometry = Geometry((60, 60, 3), (0.3, 0.3, 0.3))
    (found,) = measure(array, geometry)
    assert found.largest_diameter_mm == pytest.approx(59 * 0.3 * np.sqrt(2) + 0.15)


@pytest.mark.parametrize(("voxels", "diameter"), [(1, 0.8), (2, 0.8 + 0.4), (3, 1.6 + 0.4)])
def test_single_voxels_and_rows(voxels: int, diameter: float) -> None:
    array = np.zeros((5, 5, 5))
    array[1 : 1 + voxels, 2, 3] = 2  # along k, where the spacing is 0.8
    (found,) = measure(array, Geometry((5, 5, 5), (0.3, 0.4, 0.8)))
    assert found.voxels == voxels
    assert found.volume_ml == pytest.approx(voxels * 0.3 * 0.4 * 0.8 / 1000)
    assert found.largest_diameter_mm == pytest.approx(diameter)
    assert found.centroid_ijk == pytest.approx((3, 2, 1 + (voxels - 1) / 2))


def test_largest_first_and_vessels_left_out() -> None:
    array = np.zeros((20, 20, 20))
    array[2:4, 2:4, 2:4] = 2
    array[10:15, 10:15, 10:15] = 2
    array[4:10, 2:4, 2:4] = 1
    found = measure(array, Geometry((20, 20, 20)))
    assert [(a.index, a.voxels) for a in found] == [(1, 125), (2, 8)]
    assert found[1].centroid_ijk == pytest.approx((2.5, 2.5, 2.5))


def test_no_aneurysm() -> None:
    assert measure(np.ones((4, 5, 6)), Geometry((6, 5, 4))) == []


def test_ras_is_what_slicer_shows_and_the_dictionary_is_json() -> None:
    array = np.zeros((5, 5, 5))
    array[1, 2, 3] = 2
    (found,) = measure(array, Geometry((5, 5, 5), origin=(10.0, 20.0, 30.0)))
    assert found.centroid_lps == pytest.approx((13, 22, 31))
    assert found.centroid_ras == pytest.approx((-13, -22, 31))
    read = json.loads(json.dumps(found.to_dict()))
    assert read["centroid_ras"] == pytest.approx([-13, -22, 31])
    assert read["voxels"] == 1
