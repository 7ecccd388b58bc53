from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.datalist import Case
from gsema_core.errors import UserError
from gsema_core.training.thumbnails import (
    REFERENCE_COLOR,
    TEACHER_COLOR,
    choose_case,
    draw,
    drop_later,
    write_thumbnail,
)


def make_volume(labels: np.ndarray) -> CachedVolume:
    return CachedVolume(
        Case("p", "A", "image", "label"),
        np.full(labels.shape, 0.5, np.float16),
        labels,
        np.argwhere(labels == 1).astype(np.int32),
        np.argwhere(labels == 2).astype(np.int32),
    )


@pytest.fixture
def labels() -> np.ndarray:
    """The most aneurysm lies in slice 3, the most vessel in slice 1."""
    labels = np.zeros((5, 40, 40), np.uint8)
    labels[1, 2:38, 2:10] = 1
    labels[3, 10:20, 10:20] = 2
    return labels


def test_draws_outlines_and_leaves_the_inside(labels):
    teacher = np.roll(labels[3], 15, axis=1)
    pixels = draw(np.full((40, 40), 0.5, np.float32), labels[3], teacher)
    assert pixels.shape == (320, 320, 3)
    assert tuple(pixels[80, 80]) == REFERENCE_COLOR and tuple(pixels[80, 200]) == TEACHER_COLOR
    assert tuple(pixels[120, 120]) == tuple(pixels[0, 0]) == (128, 128, 128)


def test_vessels_are_half_as_bright(labels):
    pixels = draw(np.zeros((40, 40), np.float32), labels[1], np.zeros((40, 40), np.uint8))
    assert tuple(pixels[16, 16]) == tuple(each // 2 for each in REFERENCE_COLOR)


def test_large_slices_are_not_magnified():
    slice_ = np.zeros((400, 330), np.uint8)
    assert draw(slice_.astype(np.float32), slice_, slice_).shape == (400, 330, 3)


@pytest.mark.parametrize(("drop", "row"), [(None, 80), (2, 16)])
def test_shows_the_slice_with_the_most_aneurysm_or_vessel(labels, tmp_path, drop, row):
    labels = np.where(labels == drop, 0, labels).astype(np.uint8)
    write_thumbnail(tmp_path, 12, make_volume(labels), np.zeros_like(labels))
    image = sitk.ReadImage(str(tmp_path / "thumbnails" / "step-0000012.png"))
    pixels = sitk.GetArrayFromImage(image)
    assert pixels[row, row].tolist() != [128, 128, 128]


def test_a_case_without_any_label_has_a_thumbnail_too(tmp_path):
    empty = np.zeros((5, 8, 8), np.uint8)
    write_thumbnail(tmp_path, 1, make_volume(empty), empty)
    assert (tmp_path / "thumbnails" / "step-0000001.png").exists()


def test_a_case_with_an_aneurysm_is_preferred(labels):
    without, with_one = make_volume(np.minimum(labels, 1)), make_volume(labels)
    assert choose_case([without, with_one]) is with_one
    assert choose_case([without]) is without
    assert choose_case([]) is None


def test_a_run_that_goes_on_drops_what_it_will_draw_again(labels, tmp_path):
    for step in (2, 4):
        write_thumbnail(tmp_path, step, make_volume(labels), labels)
    (tmp_path / "thumbnails" / "step-mine.png").touch()
    drop_later(tmp_path, 2)
    assert sorted(path.name for path in (tmp_path / "thumbnails").iterdir()) == [
        "step-0000002.png",
        "step-mine.png",
    ]


def test_a_full_disk_is_told(labels, tmp_path, monkeypatch):
    def fail(*arguments: object) -> None:
        raise RuntimeError("ITK could not write")

    monkeypatch.setattr(sitk, "WriteImage", fail)
    with pytest.raises(UserError, match=r"step-0000001\.png: the disk may be full"):
        write_thumbnail(tmp_path, 1, make_volume(labels), labels)
    assert not list((tmp_path / "thumbnails").iterdir())
