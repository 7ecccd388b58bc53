"""The patches of every step, prepared by other processes where that is asked for."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from gsema_core.datasets import PatchDataset
from gsema_core.datasets.patches import PatchPair, PatchSampler
from gsema_core.errors import UserError
from gsema_core.training.config import TrainingConfig
from gsema_core.training.prepared_cases import PreparedCases
from gsema_core.training.ranks import Ranks
from gsema_core.transforms import Transform


def load_batches(
    config: TrainingConfig,
    cases: PreparedCases,
    transform: Transform[Any],
    step: int,
    ranks: Ranks,
) -> Iterator[list[PatchPair]]:
    """This rank's micro-batches of every step from ``step`` on.

    Raises:
        UserError: the transform needs cases of another center; or, later, a process that
            prepares patches came to an end.
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
    )
    accumulate = config.run.accumulate
    loader = DataLoader(
        dataset,
        batch_size=None,  # an item is a batch already
        sampler=range(step * accumulate, config.run.steps * accumulate),
        num_workers=config.data.workers,
        worker_init_fn=_ignore_signals,
        # Its own, or beginning once more would move PyTorch's generator on.
        generator=torch.Generator(),
    )
    return _steps(loader, config.run.steps - step, accumulate)


def _steps(loader: DataLoader[PatchPair], steps: int, accumulate: int) -> Iterator[list[PatchPair]]:
    try:
        micro_steps = iter(loader)
        for _ in range(steps):
            yield [next(micro_steps) for _ in range(accumulate)]
    except (RuntimeError, EOFError, ConnectionError) as error:
        # What a process says itself comes as "Caught ... in DataLoader worker process".
        if isinstance(error, RuntimeError) and "DataLoader worker (pid" not in str(error):
            raise
        raise UserError(
            "A process that prepares patches was ended from outside, maybe for want of memory: "
            "close other programs or set workers to 0, and start the run again; it goes on from "
            "its last checkpoint."
        ) from error


def _ignore_signals(worker: int) -> None:
    """A signal to the whole process group must not take the patches from the last step."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
