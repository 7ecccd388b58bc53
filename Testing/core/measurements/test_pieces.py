"""Drawings of several pieces, measured here and in a process of their own."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.grids.boxes import box_geometry, box_of
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements import measure_aneurysms
from gsema_core.measurements.orders import aneurysms_of, answer_text, order_text
from gsema_core.measurements.pieces import (
    ANEURYSM_BIT,
    VESSEL_BIT,
    Drawing,
    margin_voxels,
    measure_pieces,
)

TURNED = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
GRID = Geometry((70, 60, 50), (0.5, 0.6, 0.7), (3.0, -20.0, 7.0), TURNED)


def ball(center_kji: tuple[int, int, int], radius_mm: float) -> np.ndarray:
    spacing = np.array(GRID.spacing[::-1]).reshape(3, 1, 1, 1)
    away = (np.indices(GRID.shape) - np.reshape(center_kji, (3, 1, 1, 1))) * spacing
    return np.linalg.norm(away, axis=0) <= radius_mm


def tube() -> np.ndarray:
    j, k = np.indices(GRID.shape)[1], np.indices(GRID.shape)[0]
    return np.hypot((j - 20) * 0.6, (k - 25) * 0.7) <= 2.0


def whole(*masks: np.ndarray, limits: tuple[slice, ...] | None = None) -> Drawing:
    """A drawing over the whole grid: the vessel, and what was drawn."""
    voxels = tube().astype(np.uint8) * VESSEL_BIT
    for mask in masks:
        voxels[mask] |= ANEURYSM_BIT
    return Drawing(voxels, GRID, limits or box_of((0, 0, 0), GRID.shape))


SAC = ball((25, 27, 35), 3.0) | ball((27, 31, 38), 2.0)
"""With a bleb, so that only two of its points are the farthest apart."""


def test_one_piece_is_measured_as_in_its_label_map():
    labels = np.where(SAC, ANEURYSM, np.where(tube(), VESSEL, 0)).astype(np.uint8)
    (expected,) = measure_aneurysms(Volume(labels, GRID))
    (found,) = measure_pieces(whole(SAC), 5.0)
    assert found.neck_width_mm is not None
    for name, value in found.to_dict().items():
        other = expected.to_dict()[name]
        if name.endswith("line_lps"):  # which of its ends comes first means nothing
            value, other = sorted(value), sorted(other)
        if isinstance(value, (float, tuple, list)):
            assert np.array(value, float) == pytest.approx(np.array(other, float), abs=1e-6)
        elif name == "missing":  # reasons tell angles, rounded: one of 106.5 is 106 or 107
            assert list(value) == list(other)
        else:
            assert value == other


def test_each_piece_is_one_by_itself_and_specks_are_none():
    second, speck = ball((8, 45, 10), 2.0), ball((45, 50, 60), 0.5)
    first_alone, second_alone = measure_pieces(whole(SAC), 5.0) + measure_pieces(whole(second), 5.0)
    found = measure_pieces(whole(SAC, second, speck), 5.0)
    assert [one.index for one in found] == [1, 2]
    assert [one.voxels for one in found] == [first_alone.voxels, second_alone.voxels]
    assert found[0] == first_alone
    assert found[1].centroid_ijk == second_alone.centroid_ijk
    assert len(measure_pieces(whole(SAC, second, speck), 0.1)) == 3
    assert [one.voxels for one in measure_pieces(whole(speck), 5.0)] == [int(speck.sum())]


def test_a_box_around_it_is_enough_and_moves_nothing():
    margin = margin_voxels(GRID.spacing)[::-1]
    where = np.argwhere(SAC)
    low = np.maximum(where.min(axis=0) - margin, 0)
    high = np.minimum(where.max(axis=0) + 1 + margin, GRID.shape)
    box = box_of(low, high - low)
    limits = tuple(slice(-int(a), n - int(a)) for a, n in zip(low, GRID.shape, strict=True))
    cut = Drawing(whole(SAC).voxels[box], box_geometry(GRID, box), limits)
    (expected,), (found,) = measure_pieces(whole(SAC), 5.0), measure_pieces(cut, 5.0)
    assert found.centroid_lps == pytest.approx(expected.centroid_lps)
    assert found.neck_width_mm == pytest.approx(expected.neck_width_mm)
    assert np.add(found.centroid_ijk, low[::-1]) == pytest.approx(expected.centroid_ijk)


def test_the_scans_border_cuts_off_and_the_boxs_does_not():
    first = np.argwhere(SAC).min(axis=0)[2]
    ends = (slice(0, GRID.shape[0]), slice(0, GRID.shape[1]), slice(int(first), GRID.shape[2]))
    assert measure_pieces(whole(SAC, limits=ends), 5.0)[0].cut_off
    assert not measure_pieces(whole(SAC), 5.0)[0].cut_off
    # Drawn beyond the scan: what lies there counts, and it is cut off.
    beyond = (slice(0, GRID.shape[0]), slice(0, GRID.shape[1]), slice(int(first) + 2, 70))
    (found,) = measure_pieces(whole(SAC, limits=beyond), 5.0)
    assert found.cut_off and found.voxels == SAC.sum()


def test_vessel_under_another_piece_stays_vessel():
    """Where both are drawn: the piece that is measured wins, all other pieces leave it alone."""
    on_vessel = ball((25, 20, 12), 3.0)
    (alone,) = measure_pieces(whole(SAC), 5.0)
    found = {one.voxels: one for one in measure_pieces(whole(SAC, on_vessel), 5.0)}
    assert found[alone.voxels].parent_vessel_diameter_mm == alone.parent_vessel_diameter_mm


def test_nothing_drawn_is_nothing():
    assert measure_pieces(whole(), 5.0) == []


def test_an_answer_is_what_was_measured_to_the_last_bit(tmp_path):
    drawing = whole(SAC, ball((8, 45, 10), 2.0))
    expected = measure_pieces(drawing, 5.0)
    order = order_text(drawing, 5.0, tmp_path / 'Ü "患者".raw')
    assert aneurysms_of(answer_text(order)) == expected
    done = subprocess.run(
        [sys.executable, "-m", "gsema_core.measurements"],
        input=order,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert aneurysms_of(done.stdout) == expected


def test_the_process_loads_no_torch():
    program = (
        "import sys, gsema_core.measurements.orders; print(*{'torch', 'monai'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("answer", ["", "{", "[1]", '[{"volume": 1}]'])
def test_what_is_no_answer_is_noticed(answer):
    with pytest.raises((ValueError, TypeError, AttributeError)):
        aneurysms_of(answer)
