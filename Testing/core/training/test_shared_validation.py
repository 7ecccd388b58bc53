from __future__ import annotations

import numpy as np
import pytest

from gsema_core.datasets.cache import CachedVolume
from gsema_core.errors import Cancelled
from gsema_core.training.ranks import Ranks
from gsema_core.training.shared_validation import shares, validate_together

NAMES = ("aneurysm_dice", "vessel_dice")


@pytest.fixture
def volumes() -> list[CachedVolume]:
    """Cases of 10 to 70 slices, in no order."""
    none = np.zeros((0, 3), np.int32)
    empty = (np.zeros((10 * n, 8, 8), np.float16) for n in (3, 1, 7, 2, 5, 4, 6))
    return [CachedVolume(None, each, each.astype(np.uint8), none, none) for each in empty]


def score(volume: CachedVolume) -> dict[str, float]:
    number = volume.shape("image")[0]
    return {"aneurysm_dice": 1 / number, "vessel_dice": np.sqrt(number) / 10}


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_any_number_of_ranks_finds_the_numbers_of_one(on_ranks, volumes, count):
    alone = {name: float(np.mean([score(each)[name] for each in volumes])) for name in NAMES}
    calls: list[CachedVolume] = []

    def counted(volume: CachedVolume) -> dict[str, float]:
        calls.append(volume)
        return score(volume)

    def work(ranks: Ranks) -> dict[str, float]:
        return validate_together(ranks, volumes, volumes[:1], counted, NAMES)

    assert on_ranks(work, list(range(count))) == [alone] * count
    assert len(calls) == len(volumes)


def test_shares_are_alike_and_the_first_rank_has_the_cases_that_are_shown(volumes):
    parts = shares(volumes, [volumes[0], volumes[3]], 2)
    assert sorted(parts[0] + parts[1]) == list(range(7))
    assert {0, 3} <= set(parts[0])
    slices = [sum(volumes[n].shape("image")[0] for n in part) for part in parts]
    assert abs(slices[0] - slices[1]) <= 20 and sum(slices) == 280
    assert shares(volumes, [], 1) == [list(range(7))]


def test_one_that_is_asked_to_stop_stops_all(on_ranks, volumes):
    ended = []

    def work(ranks: Ranks) -> None:
        def cancelled(volume: CachedVolume) -> dict[str, float]:
            if ranks.rank == 1:
                raise Cancelled
            return score(volume)

        with pytest.raises(Cancelled):
            validate_together(ranks, volumes, [], cancelled, NAMES)
        ended.append(ranks.rank)

    on_ranks(work, [0, 1])
    assert sorted(ended) == [0, 1]
