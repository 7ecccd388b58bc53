"""Numbers of images whose contrast, noise and shapes are known."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.intensities.appearance import appearance_of
from gsema_core.intensities.appearance_ranges import NAMES, Appearance

GRID = Geometry((80, 100, 120), (0.4, 0.4, 0.5), (0.0, 0.0, 0.0))
SHARES = [name for name in NAMES if not name.endswith("_mm")]
DOWN, BACK, LEFT = np.indices((80, 80, 80)).astype(np.float32)


def look(image: npt.NDArray[Any], spacing_mm: float = 0.5) -> Appearance:
    return appearance_of(image.astype(np.float32), spacing_mm, GRID)


def soft(distance: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """1 inside, 0 outside, over one voxel."""
    return np.clip(0.5 - distance, 0.0, 1.0)


def tube(radius: float = 3.0) -> npt.NDArray[np.float32]:
    """Through the volume, oblique to its axes."""
    along = np.array([0.6, 0.64, 0.48])
    offset = np.stack([DOWN - 40, BACK - 40, LEFT - 40])
    way = np.tensordot(along, offset, 1)
    return soft(np.sqrt((offset**2).sum(axis=0) - way**2) - radius)


def balls(radius: float = 3.0) -> npt.NDArray[np.float32]:
    image = np.zeros(DOWN.shape, np.float32)
    for k in range(10, 80, 20):
        for j in range(10, 80, 20):
            image += soft(np.sqrt((DOWN - k) ** 2 + (BACK - j) ** 2 + (LEFT - 40) ** 2) - radius)
    return image


def sheet() -> npt.NDArray[np.float32]:
    return soft(np.abs(0.6 * (DOWN - 40) + 0.8 * (BACK - 40)) - 2)


def test_the_grid_is_that_of_the_scan_as_stored() -> None:
    seen = look(tube())
    assert (seen.voxel_mm, seen.shortest_mm, seen.longest_mm) == (0.5, 32.0, 60.0)


def test_contrast_and_noise_of_a_tube() -> None:
    rng = np.random.default_rng(1)
    seen = look(tube() + 0.02 * rng.standard_normal(DOWN.shape))
    # A cube of 13 mm around a tube 3 mm wide holds 1.5^2 pi 13 to 16 of its 2197 mm3 of it.
    assert seen.contrast == pytest.approx(1 - 0.045, abs=0.03)
    assert seen.noise * seen.contrast == pytest.approx(0.02, rel=0.03)
    # Eight voxels are averaged; the tube darkens what lies within 6.5 mm of it a little.
    assert 0.02 / np.sqrt(8) < seen.unevenness * seen.contrast < 0.012
    assert seen.bright == pytest.approx(np.pi * 3.0**2 * (80 / 0.64) / 80**3, rel=0.15)
    assert seen.dark < 0.12
    assert seen.joined == 1.0


@pytest.mark.parametrize(
    ("image", "low", "high"), [(tube(), 0.8, 1.0), (balls(), 0.0, 0.35), (sheet(), 0.0, 0.05)]
)
def test_only_tubes_are_tubes(image: npt.NDArray[Any], low: float, high: float) -> None:
    assert low <= look(image).tubes <= high


def test_specks_are_not_joined() -> None:
    assert look(balls()).joined == 0.0
    assert look(balls() + tube()).joined == pytest.approx(0.5, abs=0.35)


@pytest.mark.parametrize(("factor", "offset"), [(1000.0, -300.0), (1e-3, 0.5), (7.5, 0.0)])
def test_units_do_not_matter(factor: float, offset: float) -> None:
    image = tube() + balls() - 0.5 * ndimage.gaussian_filter(balls(), 3)
    image += 0.01 * np.random.default_rng(2).standard_normal(DOWN.shape)
    one, other = asdict(look(image)), asdict(look(factor * image + offset))
    assert other.pop("contrast") == pytest.approx(factor * one.pop("contrast"), rel=1e-3)
    assert other == pytest.approx(one, rel=0.01, abs=1e-4)


def test_axes_do_not_matter() -> None:
    image = tube() + 0.3 * balls()
    turned = np.ascontiguousarray(image.transpose(2, 0, 1)[:, ::-1])
    assert asdict(look(turned)) == pytest.approx(asdict(look(image)), rel=0.01)


def test_an_inverted_scan_is_dark() -> None:
    assert look(-tube()).dark > 3
    assert look(tube()).dark < 0.1


def test_noise_of_any_kind_is_as_dark_as_bright_and_uneven() -> None:
    for width in (0.0, 1.0, 3.0):
        field = np.random.default_rng(4).standard_normal(DOWN.shape)
        seen = look(ndimage.gaussian_filter(field, width))
        assert seen.dark == pytest.approx(1.0, abs=0.25)
        assert seen.unevenness > 0.2


def test_a_stack_of_one_picture_does_not_vary() -> None:
    picture = np.random.default_rng(5).random((1, 80, 80)) ** 8
    assert look(np.repeat(picture, 80, axis=0)).slices == pytest.approx(0.0, abs=1e-3)
    assert look(balls() + tube()).slices > 0.2


@pytest.mark.parametrize("value", [0.0, 1.0, -1000.0])
def test_a_constant_has_nothing_bright(value: float) -> None:
    seen = look(np.full((16, 16, 16), value))
    assert [getattr(seen, name) for name in SHARES] == [0.0] * len(SHARES)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 5), (1, 40, 40), (7, 7, 7)])
def test_any_size_can_be_looked_at(shape: tuple[int, int, int]) -> None:
    seen = look(np.random.default_rng(6).random(shape))
    assert all(np.isfinite(getattr(seen, name)) for name in NAMES)


def test_a_coarser_grid_sees_the_same_contrast() -> None:
    fine = tube(4.0)
    coarse = fine.reshape(40, 2, 40, 2, 40, 2).mean(axis=(1, 3, 5))
    assert look(coarse, 1.0).contrast == pytest.approx(look(fine).contrast, abs=0.15)
