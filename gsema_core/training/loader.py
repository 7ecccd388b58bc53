"""The patches of every step, prepared by other processes where that is asked for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

from gsema_core.datasets import PatchDataset
from gsema_core.datasets.patches import PatchPair, PatchSampler
from gsema_core.errors import Cancelled
from gsema_core.machine.processes import SLICE_S, Crew
from gsema_core.training.config import TrainingConfig
from gsema_core.training.prepared_cases import PreparedCases
from gsema_core.training.ranks import Ranks
from gsema_core.transforms import Transform

ADVICE = (
    "close other programs or set a smaller number of workers in [data] (0 prepares patches without "
    "them), and start the run again; it goes on from its last checkpoint"
)

Patches = Generator[PatchPair, None, None]
Batches = Generator[list[PatchPair], None, None]


def load_batches(
    config: TrainingConfig,
    cases: PreparedCases,
    transform: Transform[Any],
    step: int,
    ranks: Ranks,
    stop: Callable[[], bool] = bool,
) -> Batches:
    """This rank's micro-batches of every step from ``step`` on.

    Args:
        config, cases, transform: what patches are made from.
        step: the first one.
        ranks: this process among others.
        stop: asked while patches are waited for.

    Raises:
        Cancelled: ``stop`` said True.
        UserError: the transform needs cases of another center; or, later, a process that
            prepares patches could not be started, or came to an end.
    """
    dataset = PatchDataset(
        cases.training,
        PatchSampler(config.data.patch, config.data.aneurysm_share, config.data.random_orientation),
        transform,
        config.run.batch_size,
        config.run.seed,
        ranks.share(config.run.batch_size),
        two_views=config.method.consistency_weight > 0,
        replay=cases.replay,
        replay_share=config.data.replay_share,
        with_origin=config.network.takes_clicks,
    )
    accumulate = config.run.accumulate
    numbers = range(step * accumulate, config.run.steps * accumulate)
    if config.data.workers and len(numbers):
        patches = _prepared(dataset, numbers, config.data.workers, stop)
    else:
        patches = (dataset[number] for number in numbers)
    return _steps(patches, config.run.steps - step, accumulate)


def _steps(patches: Patches, steps: int, accumulate: int) -> Batches:
    with closing(patches):
        for _ in range(steps):
            yield [next(patches) for _ in range(accumulate)]


def _prepared(
    dataset: PatchDataset, numbers: range, workers: int, stop: Callable[[], bool]
) -> Patches:
    """The patches of some micro-steps by other processes; the next come while the last are used."""
    over = threading.Event()
    box: queue.Queue[PatchPair | BaseException] = queue.Queue(maxsize=1)
    workers = min(workers, len(numbers))
    with Crew(dataset.__getitem__, workers, "that prepare patches", ADVICE, deaf=True) as crew:

        def fetch() -> None:
            try:
                for patch in crew.results(numbers, lambda: over.is_set() or stop(), 2 * workers):
                    _put(box, patch, over)
            except BaseException as error:  # raised where the patches are waited for
                _put(box, error, over)

        thread = threading.Thread(target=fetch, name="patches", daemon=True)
        thread.start()
        try:
            for _ in numbers:
                yield _taken(box, stop)
        finally:
            over.set()
            thread.join()


def _put(
    box: queue.Queue[PatchPair | BaseException],
    content: PatchPair | BaseException,
    over: threading.Event,
) -> None:
    while not over.is_set():
        try:
            return box.put(content, timeout=SLICE_S)
        except queue.Full:
            continue


def _taken(box: queue.Queue[PatchPair | BaseException], stop: Callable[[], bool]) -> PatchPair:
    while True:
        try:
            content = box.get(timeout=SLICE_S)
        except queue.Empty:
            if stop():
                raise Cancelled from None
            continue
        if isinstance(content, BaseException):
            raise content
        return content
