from __future__ import annotations

import numpy as np
import pytest
from made_scan import made_scan, outside_cylinder
from scipy import ndimage

from gsema_core.intensities.image_only import only_image


def test_an_image_stays_what_it_is() -> None:
    scan = made_scan()
    image = only_image(scan)
    assert image.array is scan
    assert (image.fill_share, image.notes) == (0, ())


def test_fill_is_left_out_and_told() -> None:
    outside = outside_cylinder()
    image = only_image(np.where(outside, -2000, made_scan()))
    assert image.fill_share == pytest.approx(outside.mean())
    assert image.array.min() > 0
    share = f"{outside.mean():.3%}"
    assert image.notes == (
        f"Of the scan's voxels were left out as no image: the fill value -2000 ({share}).",
    )


def test_scattered_voxels_are_left_out_and_told() -> None:
    scan = made_scan()
    scan[30, 30, 30], scan[9, 9, 9] = 32767, -32768
    image = only_image(scan)
    (note,) = image.notes
    assert "2 voxels from -32768 to 32767" in note
    assert image.array.max() < 1300


def test_metal_goes_with_its_rim() -> None:
    lump = np.zeros((64, 64, 64))
    lump[6:12, 6:12, 6:12] = 20000
    image = only_image(made_scan() + ndimage.gaussian_filter(lump, 0.8))
    assert "far from those beside them" in image.notes[0]
    assert image.array[3:15, 3:15, 3:15].max() < 400
    assert image.array[20:].max() > 1000


def test_what_wrapped_is_brought_back_and_told() -> None:
    image = only_image(((made_scan().astype(int) - 100) % 65536).astype(np.uint16))
    assert (image.array == made_scan() - 100).all()
    assert "had wrapped around" in image.notes[0]


def test_all_of_it_at_once() -> None:
    scan = made_scan().astype(np.int32)
    chosen = np.random.default_rng(4).choice(scan.size, scan.size // 100, replace=False)
    scan.reshape(-1)[chosen] = 32767
    scan[outside_cylinder()] = -3024
    image = only_image(scan)
    assert "-3024" in image.notes[0]
    assert "32767" in image.notes[0]
    kept = ~outside_cylinder()
    assert np.abs(image.array[kept] - made_scan()[kept].astype(int)).mean() < 1


def test_a_saturated_scan_is_told_and_left_as_it_is() -> None:
    scan = np.minimum(made_scan(), 700)
    image = only_image(scan)
    assert image.array is scan
    share = f"{(scan == 700).mean():.3%}"
    assert image.notes == (
        f"{share} of the scan's voxels have its largest value 700: it is saturated, and what is "
        "brighter cannot be told apart.",
    )
    assert only_image(np.full((9, 9, 9), 5)).notes == ()


@pytest.mark.parametrize("noise", [0, 3, 15])
@pytest.mark.parametrize("radius", [4, 7])
def test_a_sac_alone_in_a_small_scan_is_no_metal(noise: int, radius: int) -> None:
    """Vessels may fill fewer spots than metal is told by."""
    k, j, i = np.indices((50, 50, 50))
    sac = (k - 25) ** 2 + (j - 20) ** 2 + (i - 30) ** 2 < radius**2
    tube = (j - 25) ** 2 + (i - 25) ** 2 < 4
    scan = np.where(sac, 2000.0, np.where(tube & (k < 30), 1300.0, 100.0))
    scan = ndimage.gaussian_filter(scan, 0.7) + 0.2 * k  # shading
    scan += np.random.default_rng(5).normal(0, noise, scan.shape)
    assert only_image(scan).array is scan
