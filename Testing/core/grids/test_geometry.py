from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.grids import Geometry


def test_positions_are_those_of_simpleitk(geometry: Geometry) -> None:
    image = sitk.Image(geometry.size, sitk.sitkUInt8)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    index = (3.5, 10.0, 21.25)
    expected = image.TransformContinuousIndexToPhysicalPoint(index)
    np.testing.assert_allclose(geometry.index_to_world(index), expected, atol=1e-9)


def test_world_to_index_inverts(geometry: Geometry) -> None:
    indices = np.random.default_rng(0).uniform(0, 40, (10, 3))
    back = geometry.world_to_index(geometry.index_to_world(indices))
    np.testing.assert_allclose(back, indices, atol=1e-9)


def test_shape_volume_and_center() -> None:
    geometry = Geometry((10, 20, 30), (0.5, 1.0, 2.0), (1.0, 2.0, 3.0))
    assert geometry.shape == (30, 20, 10)
    assert geometry.voxel_volume_mm3 == pytest.approx(1.0)
    assert geometry.center == pytest.approx((1 + 4.5 * 0.5, 2 + 9.5, 3 + 14.5 * 2))


def test_is_close_looks_at_every_part(geometry: Geometry) -> None:
    shifted = (geometry.origin[0] + 1e-4, *geometry.origin[1:])
    assert geometry.is_close(dataclasses.replace(geometry, origin=shifted))
    assert not geometry.is_close(dataclasses.replace(geometry, origin=shifted), tol=1e-5)
    assert not geometry.is_close(dataclasses.replace(geometry, size=(1, 2, 3)))
    wider = (geometry.spacing[0] * 1.01, *geometry.spacing[1:])
    assert not geometry.is_close(dataclasses.replace(geometry, spacing=wider))
    turned = tuple(-x for x in geometry.direction)
    assert not geometry.is_close(dataclasses.replace(geometry, direction=turned))


def test_is_close_sees_the_spacing_of_a_one_voxel_axis() -> None:
    assert not Geometry((5, 5, 1)).is_close(Geometry((5, 5, 1), (1.0, 1.0, 2.0)))


@pytest.mark.parametrize(
    "wrong", [{"size": (1, 2)}, {"size": (0, 2, 3)}, {"spacing": (0, 1, 1)}, {"direction": (1,)}]
)
def test_nonsense_is_refused(wrong: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(ValueError, match=f"(?i){next(iter(wrong))}"):
        Geometry(**{"size": (1, 2, 3), **wrong})  # type: ignore[arg-type]
