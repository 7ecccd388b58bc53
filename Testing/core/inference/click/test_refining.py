"""Several clicks on one aneurysm, with networks that are typed in: what every answer keeps to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gsema_core.clicks import click_channels
from gsema_core.grids import Geometry, Volume
from gsema_core.grids.components import connected_components
from gsema_core.inference.click.click_labels import Restored, restore
from gsema_core.inference.click.finding import MAXIMUM_WINDOWS, Finding, look_around
from gsema_core.inference.click.points import Clicks, nearest_voxel
from gsema_core.intensities.appearance import appearance_of
from gsema_core.intensities.prepared_scan import PreparedScan
from gsema_core.labels import ANEURYSM, VESSEL

GRID = Geometry((48, 44, 40), (0.5, 0.5, 0.5))
FINE = Geometry((110, 100, 90), (0.21, 0.21, 0.21), (0.1, 0.2, 0.3))
WINDOW = (32, 32, 32)
Point = tuple[float, float, float]


def lumen() -> Any:
    """A tube along i, 4 mm wide, with a sac of 6 mm on it; LPS of the sac's middle: (12, 8, 10)."""
    k, j, i = np.indices(GRID.shape) / 2
    tube = 2.0 - np.hypot(k - 10, j - 12)
    sac = 3.0 - np.sqrt((k - 10) ** 2 + (j - 8) ** 2 + (i - 12) ** 2)
    return np.clip(0.5 + np.maximum(tube, sac), 0, 1), np.clip(0.5 + sac, 0, 1)


def scan(original: Geometry = GRID) -> PreparedScan:
    image = lumen()[0].astype(np.float32)
    own = Volume(np.zeros(original.shape, np.float32), original)
    appearance = replace(appearance_of(image, 0.5, GRID), contrast=1.0)
    return PreparedScan(own, Volume(image, GRID), (0.0, 1.0), appearance=appearance)


def deaf(share: float) -> Any:
    """A network that calls so much of all lumen an aneurysm, whatever was clicked."""

    def predict(image: Any, inside: Any, outside: Any) -> Any:
        return np.stack([image * (1 - share), image * share]).astype(np.float32)

    return predict


def listening(image: Any, inside: Any, outside: Any) -> Any:
    """A network that calls aneurysm what is near clicks inside, and nothing near those outside."""
    near, far = click_channels(image.shape, inside, outside, 6.0)
    share = np.clip(1.5 * near - far, 0, 1)
    return np.stack([image * (1 - share), image * share]).astype(np.float32)


def answer(clicks: Clicks, predict: Any, knows: bool = True, **more: Any) -> tuple[Finding, Any]:
    original = more.pop("original", GRID)
    finding = look_around(scan(original), clicks, WINDOW, predict, knows_clicks=knows, **more)
    return finding, restore(finding, scan(original))


def holds(restored: Restored, point: Point, original: Geometry) -> bool:
    inner = np.subtract(nearest_voxel(point, original), [side.start for side in restored.box])
    inside = ((inner >= 0) & (inner < restored.labels.array.shape)).all()
    return bool(inside and restored.labels.array[tuple(inner)] == ANEURYSM)


IN_SAC, IN_VESSEL = [(12.0, 8.0, 10.0), (12.0, 6.0, 11.0), (13.5, 8.5, 9.5)], (16.0, 12.0, 10.0)


@pytest.mark.parametrize("original", [GRID, FINE], ids=["as coarse", "finer"])
@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize("share", [0.9, 0.3])
def test_inside_clicks_are_always_held_and_outside_ones_never(
    share: float, knows: bool, original: Geometry
) -> None:
    """A network that does not listen makes the answer be changed, as little as possible."""
    clicks = Clicks(tuple(IN_SAC), (IN_VESSEL, (8.0, 12.5, 10.0)))
    finding, restored = answer(clicks, deaf(share), knows, original=original)
    assert restored is not None
    assert all(holds(restored, point, original) for point in clicks.inside)
    assert not any(holds(restored, point, original) for point in clicks.outside)
    mask = restored.labels.array == ANEURYSM
    assert connected_components(mask)[1] == 1
    sac_mm3 = 4 / 3 * np.pi * 3.0**3
    assert mask.sum() * original.voxel_volume_mm3 == pytest.approx(sac_mm3, rel=0.25)
    assert "the outline was cut" in finding.notes[-1]
    assert (restored.labels.array == VESSEL).sum() > 50  # what was cut off is vessel again


def test_a_network_that_listens_is_left_alone() -> None:
    clicks = Clicks(tuple(IN_SAC), (IN_VESSEL,))
    finding, restored = answer(clicks, listening)
    assert restored is not None
    assert (finding.windows, finding.notes, restored.notes) == (1, (), ())
    assert all(holds(restored, point, GRID) for point in IN_SAC)


def test_each_click_more_costs_one_window() -> None:
    clicks = Clicks(())
    for point in IN_SAC:
        clicks = Clicks((*clicks.inside, point))
        assert answer(clicks, listening)[0].windows == 1


def test_clicks_that_do_not_fit_into_a_window_have_several() -> None:
    seen = []

    def predict(image: Any, inside: Any, outside: Any) -> Any:
        seen.append(inside)
        return deaf(0.9)(image, inside, outside)

    clicks = Clicks(((2.0, 12.0, 10.0), (22.0, 12.0, 10.0)))
    finding, restored = answer(clicks, predict)
    assert restored is not None
    assert 2 <= finding.windows <= MAXIMUM_WINDOWS
    assert all(len(inside) == 2 for inside in seen)
    assert all(holds(restored, point, GRID) for point in clicks.inside)


@pytest.mark.parametrize("share", [0.15, 0.01])
@pytest.mark.parametrize("threshold", [None, 0.5])
def test_on_lumen_the_likeliest_outline_is_offered(share: float, threshold: float | None) -> None:
    """Though a network that looks clicks up would have found nothing."""
    clicks = Clicks((IN_SAC[0],))
    finding, restored = answer(clicks, deaf(share), threshold=threshold)
    assert restored is not None
    assert holds(restored, IN_SAC[0], GRID)
    assert finding.certainty == pytest.approx(share, rel=0.3)
    assert finding.notes[0].startswith("The model doubts that there is an aneurysm at R -12.0")
    assert f"is {share:.2f}." in finding.notes[0]
    unknowing, _ = answer(clicks, deaf(share), knows=False, threshold=threshold)
    assert unknowing.outline.component is None


@pytest.mark.parametrize("place", [(20.0, 2.0, 2.0), (4.0, 3.0, 17.0)])
def test_where_it_is_dark_nothing_is_found_whatever_the_network_says(place: Point) -> None:
    def eager(image: Any, inside: Any, outside: Any) -> Any:
        near = click_channels(image.shape, inside, outside, 4.0)[0]
        return np.stack([0 * near, near])

    finding, restored = answer(Clicks((place,)), eager)
    assert restored is None
    assert finding.notes[0].startswith("There is no contrast agent within reach of R ")


def test_in_bone_nothing_is_found() -> None:
    """It is bright, but the network sees no lumen in it."""

    def sober(image: Any, inside: Any, outside: Any) -> Any:
        return np.stack([0.02 * image, 0.02 * image]).astype(np.float32)

    assert answer(Clicks((IN_SAC[0],)), sober)[1] is None


def test_a_first_click_beside_the_lumen_means_the_nearest_aneurysm() -> None:
    beside = (12.0, 3.5, 10.0)  # 1.5 mm off the wall
    finding, restored = answer(Clicks((beside,)), listening)
    assert restored is not None
    assert finding.beside
    assert not holds(restored, beside, GRID)
    assert restored.notes == ()
