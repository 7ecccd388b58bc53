from __future__ import annotations

import sys

import numpy as np
import pytest

from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.datalist import Case
from gsema_core.labels import ANEURYSM, COLORS, VESSEL
from gsema_core.training.case_pictures import GAP, LINE, TILE, draw_case, views

STEP = TILE + GAP


def make_volume(labels: np.ndarray) -> CachedVolume:
    return CachedVolume(
        Case("p", "A", "image", "label"),
        np.where(labels, 0.9, 0.3).astype(np.float16),
        labels,
        np.argwhere(labels == 1).astype(np.int32),
        np.argwhere(labels == 2).astype(np.int32),
    )


@pytest.fixture
def labels() -> np.ndarray:
    """An aneurysm at (20..25, 8..13, 30..35) of (40, 44, 48), a tiny one, and a vessel."""
    labels = np.zeros((40, 44, 48), np.uint8)
    labels[:, 30:34, 10:14] = VESSEL
    labels[20:26, 8:14, 30:36] = ANEURYSM
    labels[2, 2, 2] = ANEURYSM
    return labels


def tile(sheet: np.ndarray, row: int, column: int) -> np.ndarray:
    top, left = 2 * LINE + row * STEP, column * STEP
    return sheet[top : top + TILE, left : left + TILE]


def has(pixels: np.ndarray, label: int) -> bool:
    color = [round(255 * channel) for channel in COLORS[label]]
    return bool((pixels == color).all(axis=2).any())


def test_the_planes_go_through_the_largest_aneurysm(labels):
    axial, coronal, sagittal, front = views(make_volume(labels), spacing_mm=1.0)
    assert axial.center == (10.5, 32.5) and axial.edge == 24
    assert [(view.flat(labels) == ANEURYSM).sum() for view in (axial, coronal, sagittal)] == [
        36
    ] * 3
    assert coronal.center == (39 - 22.5, 32.5) and sagittal.center == (39 - 22.5, 10.5)
    assert front.edge == 48 and (front.flat(labels) == ANEURYSM).sum() == 37
    assert [view.title for view in (axial, front)] == ["axial, 24 mm", "from the front, 48 mm"]


def test_the_head_is_on_top_and_the_center_in_the_middle(labels):
    head = np.zeros(labels.shape)
    head[-1] = 1
    _, coronal, sagittal, front = views(make_volume(labels), 1.0)
    assert all(view.flat(head)[0].all() for view in (coronal, sagittal, front))
    sheet = draw_case(make_volume(labels), labels, 1.0)
    for column in range(3):  # the aneurysm's inside is the brightest, its rim has its color
        view = tile(sheet, 0, column)
        assert (view[TILE // 2, TILE // 2] == 255).all() and has(view, ANEURYSM)


def test_the_reference_is_above_and_the_teacher_below(labels):
    sheet = draw_case(make_volume(labels), np.zeros_like(labels), 1.0)
    assert sheet.shape == (2 * LINE + 2 * STEP, 4 * STEP - GAP, 3)
    for column in range(4):
        assert has(tile(sheet, 0, column), ANEURYSM)
        assert not has(tile(sheet, 1, column), ANEURYSM)
    assert has(tile(sheet, 0, 3), VESSEL) and not has(tile(sheet, 1, 3), VESSEL)


@pytest.mark.parametrize("kept", [0, VESSEL])
def test_cases_without_an_aneurysm_have_pictures_too(labels, kept):
    labels = np.where(labels == kept, labels, 0).astype(np.uint8)
    sheet = draw_case(make_volume(labels), labels, 0.5)
    assert has(tile(sheet, 0, 0), VESSEL) == bool(kept) and not has(sheet, ANEURYSM)


def test_a_large_aneurysm_fits_into_its_planes(labels):
    labels[10:40, 5:40, 8:48] = ANEURYSM
    assert views(make_volume(labels), 1.0)[0].edge == pytest.approx(2.4 * 40)


def test_without_pillow_there_is_no_text_and_the_picture_all_the_same(labels, monkeypatch):
    volume = make_volume(labels)
    text = draw_case(volume, labels, 1.0, "Case 1")
    monkeypatch.setitem(sys.modules, "PIL", None)
    plain = draw_case(volume, labels, 1.0, "Case 1")
    assert (plain[: 2 * LINE] == 255).all() and not (text[: 2 * LINE] == 255).all()
    assert (plain[-TILE // 2 :] == text[-TILE // 2 :]).all()
