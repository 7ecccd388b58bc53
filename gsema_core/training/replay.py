"""Phantoms that a run sees again and again, so that its teacher forgets less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gsema_core.datasets import Case, read_datalist, write_datalist
from gsema_core.errors import Cancelled
from gsema_core.files.atomic import make_folder
from gsema_core.simulation.manifest import phantom_cases
from gsema_core.simulation.many_cases import image_cases, is_finished
from gsema_core.training.run_files import REPLAY
from gsema_core.training.run_reporter import RunReporter

TRAINING_SEED, TEST_SEED = 700_000, 800_000
"""Of the first phantom of each use, for every run alike (ours)."""

TEST_CASES = 4
"""Phantoms that are never trained on: what a report scores forgetting by."""


def make_replay(
    output: Path, count: int, reporter: RunReporter, stop: Callable[[], bool]
) -> list[Case]:
    """Make the phantoms that are missing in ``<output>/replay``, and list those to train on.

    Each has a random scanner of the light model, which needs no extra package. The folder is a
    data set of its own: ``datalist.json`` marks ``count`` cases for training and `TEST_CASES`
    others for testing.

    Raises:
        Cancelled: ``stop`` said so between two phantoms.
        UserError: a file could not be written.
    """
    folder = make_folder(output / REPLAY)
    training = phantom_cases(count, TRAINING_SEED, randomize=True)
    test = phantom_cases(TEST_CASES, TEST_SEED, randomize=True)
    missing = [case for case in (*training, *test) if not is_finished(case, folder, "light")]
    for number, case in enumerate(missing, start=1):
        if stop():
            raise Cancelled
        making = f"Making phantom {number} of {len(missing)} for replay"
        reporter.advance(f"{making}.", making)
        image_cases([case], folder, "light", quiet=True)  # the reporter tells
    reporter.doing("")
    uses = {case.patient: "training" for case in training}
    uses.update({case.patient: "test" for case in test})
    datalist = folder / "datalist.json"
    listed = [  # an earlier run may have asked for more
        replace(case, use=uses[case.patient])
        for case in read_datalist(datalist)
        if case.patient in uses
    ]
    write_datalist(listed, datalist)
    return [case for case in listed if case.use == "training"]
