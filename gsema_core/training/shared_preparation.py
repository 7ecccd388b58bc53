"""The cases of a run before its first step, where several processes share work and disks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TypeVar

from gsema_core.datasets import Case, Split
from gsema_core.errors import Cancelled
from gsema_core.files.atomic import make_folder
from gsema_core.files.label_maps import dropped_were_told
from gsema_core.training.config import TrainingConfig
from gsema_core.training.prepared_cases import PreparedCases, describe, prepare, volume_cache
from gsema_core.training.ranks import Ranks
from gsema_core.training.replay import make_replay
from gsema_core.training.run_reporter import RunReporter

T = TypeVar("T")


def prepare_together(
    config: TrainingConfig,
    split: Split,
    ranks: Ranks,
    reporter: RunReporter,
    stop: Callable[[], bool],
    summarize: bool,
) -> PreparedCases:
    """Prepare a run's cases: the first rank does, and the others find all of it done.

    Where a machine has a cache of its own, its first rank prepares there at the same time. A cache
    that lies in the run's folder keeps what the run uses; one that ``config`` names may serve other
    runs too, and keeps all.

    Args:
        config: the run's.
        split: its cases.
        ranks: this process among others.
        reporter: of this process.
        stop: asked between two cases.
        summarize: say first what the cases hold.

    Raises:
        Cancelled: ``stop`` said so, to this or to another rank.
        UserError: a case cannot be used, none has an aneurysm to learn from, or (with
            ``summarize``) the labels look wrong as a whole.
    """

    def replay(stop: Callable[[], bool]) -> list[Case]:
        data = config.data
        if not data.replay_share:
            return []
        return make_replay(config.run.output, data.replay_cases, reporter, stop)

    def begin() -> list[Case]:
        if summarize:
            describe(split, config.data.accept_labels, reporter, stop)
        return replay(stop)

    def load() -> PreparedCases:
        with dropped_were_told() if summarize else nullcontext():
            cases = prepare(config, split, phantoms, reporter, stop)
        if ranks.is_first and config.data.cache == Path():
            cache.keep_only([*split.training, *split.validation, *phantoms])
        return cases

    cache = volume_cache(config)
    phantoms = _while_others_wait(ranks, begin, ranks.is_first) or replay(bool)
    with _seen_by_all(cache.folder, ranks) as seen:
        works = ranks.is_first or (ranks.local_rank == 0 and not seen)
    cases = _while_others_wait(ranks, load, works)
    return cases or prepare(config, split, phantoms, reporter, bool)


def _while_others_wait(ranks: Ranks, work: Callable[[], T], works: bool) -> T | None:
    """What this rank's work returned where it works; all ranks are cancelled together."""
    done, cancelled = None, False
    if works:
        try:
            done = work()
        except Cancelled:
            cancelled = True
    ranks.wait_for_first()
    if ranks.any(cancelled):
        raise Cancelled
    return done


@contextmanager
def _seen_by_all(folder: Path, ranks: Ranks) -> Iterator[bool]:
    """Whether this process sees, under a folder's name, the folder of the first rank.

    All ranks enter and leave together. On a drive that tells of new files late, one may not see
    it: cases are then prepared twice, and alike.
    """
    if ranks.size == 1:
        yield True
        return
    mark = folder / ranks.from_first(f".seen-{os.urandom(8).hex()}")
    if ranks.is_first:
        make_folder(folder)
        mark.touch()
    try:
        ranks.wait_for_first()
        yield mark.exists()
        ranks.wait_for_first()
    finally:
        if ranks.is_first:
            mark.unlink(missing_ok=True)
