from __future__ import annotations

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume


def test_to_an_image_and_back(geometry: Geometry) -> None:
    array = np.random.default_rng(0).integers(0, 99, geometry.shape).astype(np.int16)
    back = Volume.from_image(Volume(array, geometry).to_image())
    assert back.array.dtype == np.int16
    np.testing.assert_array_equal(back.array, array)
    assert back.geometry.is_close(geometry, 1e-9)


@pytest.mark.parametrize(("given", "stored"), [("bool", "uint8"), ("float16", "float32")])
def test_types_that_itk_lacks_are_widened(given: str, stored: str) -> None:
    array = np.ones((2, 3, 4), dtype=given)
    image = Volume(array, Geometry((4, 3, 2))).to_image()
    assert Volume.from_image(image).array.dtype == stored


def test_a_shape_that_is_not_the_grids_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(4, 3, 2\) is not the grid's \(2, 3, 4\)"):
        Volume(np.zeros((4, 3, 2)), Geometry((4, 3, 2)))
