"""Several processes and their caches."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsema_core.datasets import VolumeCache, find_cases, split_by_patient
from gsema_core.errors import Cancelled
from gsema_core.training.prepared_cases import PreparedCases
from gsema_core.training.ranks import Ranks
from gsema_core.training.run_reporter import SilentReporter
from gsema_core.training.shared_preparation import prepare_together


@pytest.fixture
def prepare_on(make_tiny, on_ranks, monkeypatch):
    """``prepare_on([cache of rank 0, ...], local ranks)``: what each got, and who prepared what."""
    config = make_tiny()
    split = split_by_patient(find_cases(config.data.datalist), (), 0.25, 0)
    prepared: list[tuple[str, Path]] = []
    original = VolumeCache._prepare

    def counted(self: VolumeCache, case: Any) -> Any:
        prepared.append((threading.current_thread().name, self.folder))
        return original(self, case)

    monkeypatch.setattr(VolumeCache, "_prepare", counted)

    def run(caches: list[Path], local: list[int], stop: Any = bool) -> list[PreparedCases]:
        def work(ranks: Ranks) -> PreparedCases:
            threading.current_thread().name = str(ranks.rank)
            own = replace(config, data=replace(config.data, cache=caches[ranks.rank]))
            reporter = SilentReporter(config.run.output)
            return prepare_together(own, split, ranks, reporter, stop, False)

        return on_ranks(work, local)

    run.prepared = prepared  # type: ignore[attr-defined]
    run.count = len(split.training) + len(split.validation)  # type: ignore[attr-defined]
    return run


def test_the_first_of_all_prepares_a_shared_cache(prepare_on, tmp_path):
    prepare_on([tmp_path / "cache"] * 3, [0, 1, 0])
    assert {name for name, _ in prepare_on.prepared} == {"0"}
    assert len(prepare_on.prepared) == prepare_on.count
    assert {path.suffix for path in (tmp_path / "cache").iterdir()} == {".safetensors"}


def test_the_first_of_each_machine_prepares_where_caches_are_its_own(prepare_on, tmp_path):
    caches = [tmp_path / name for name in ("node0", "node0", "node1", "node1")]
    cases = prepare_on(caches, [0, 1, 0, 1])
    expected = [("0", caches[0])] * prepare_on.count + [("2", caches[2])] * prepare_on.count
    assert sorted(prepare_on.prepared) == expected
    for volumes in zip(*(each.training for each in cases), strict=True):
        assert all(np.array_equal(volumes[0].image, each.image) for each in volumes)
    assert len({each.fingerprint() for each in cases}) == 1


def test_all_are_cancelled_together(prepare_on, tmp_path):
    with pytest.raises(Cancelled):
        prepare_on([tmp_path / "cache"] * 2, [0, 1], lambda: True)


def test_a_runs_own_cache_keeps_what_the_run_uses_and_one_that_is_named_all(
    prepare_on, make_tiny, tmp_path
):
    for cache, kept in ((tmp_path / "run" / "cache", False), (tmp_path / "named", True)):
        cache.mkdir(parents=True)
        old = cache / f"{'0' * 32}.safetensors"
        old.touch()
        prepare_on([Path() if not kept else cache], [0])
        assert old.exists() == kept
        assert len(list(cache.iterdir())) == prepare_on.count + kept
