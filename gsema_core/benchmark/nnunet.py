"""nnU-Net as a row: the public package ``nnunetv2``, driven by its own commands.

It gets the same cases, the same patients kept out and the same working spacing; patch, batch and
network are its own plan's. Isensee et al., Nature Methods 18:203-211, 2021.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from gsema_core.benchmark.nnunet_dataset import DATASET, SUFFIX, export, unseen_name
from gsema_core.benchmark.plan import Cell, Plan
from gsema_core.datasets import read_datalist, split_by_patient
from gsema_core.errors import UserError
from gsema_core.files.atomic import make_folder
from gsema_core.files.text_files import write_text
from gsema_core.machine.cores import Cores
from gsema_core.machine.devices import resolve_device
from gsema_core.stop_signals import last_act

EPOCH_STEPS = 250
"""Steps of an epoch of nnU-Net."""
EPOCHS = (1, 5, 10, 20, 50, 100, 250, 500, 750, 2000, 4000, 8000)
"""Lengths for which the package has a trainer; its standard one makes 1000."""
CONFIGURATION = "3d_fullres"
FOLD = "0"
LOG = "nnunet.log"
SPENT = "training_seconds.txt"
PREDICTIONS = "predictions"

END_S = 2.0
"""How long one of its commands that is asked to end may take, before it is killed (ours)."""
FORCED = getattr(signal, "SIGKILL", signal.SIGTERM)

SAVE_S = 5.0
"""The most seconds of training that are forgotten where the benchmark is killed (ours)."""

Report = Callable[[str], None]


class TrainingClock:
    """The seconds of training that a cell has had, over all sessions: its budget survives a kill.

    Args:
        path: the file that remembers them.
        budget: seconds; infinity where only the epochs end the training.
    """

    def __init__(self, path: Path, budget: float) -> None:
        self.path = path
        self.budget = budget
        self.seconds = float(path.read_text(encoding="utf-8")) if path.exists() else 0.0
        self.saved = self.looked = self.seconds

    @contextmanager
    def running(self) -> Iterator[Callable[[], bool]]:
        """Count the time of this block, in which the yielded function is to be asked now and then.

        Yields:
            Whether the budget is used up.

        Raises:
            UserError: the file could not be written.
        """
        self.looked = time.monotonic()
        try:
            yield self._look
        finally:
            self._look()
            self._save()

    def _look(self) -> bool:
        now = time.monotonic()
        self.seconds += now - self.looked
        self.looked = now
        if self.seconds - self.saved >= SAVE_S:
            self._save()
        return self.seconds >= self.budget

    def _save(self) -> None:
        self.saved = self.seconds
        write_text(f"{self.seconds:.1f}\n", self.path)


class NnUnet:
    """nnU-Net's run of one cell; stopped and killed ones go on at its last checkpoint.

    Args:
        plan: of the benchmark.
        cell: whose row is nnU-Net.
        report: gets one line of text now and then.
        stop: True ends the run.

    Raises:
        UserError: the package is not installed, or there is no such device.
    """

    def __init__(
        self, plan: Plan, cell: Cell, report: Report, stop: Callable[[], bool] = bool
    ) -> None:
        self.plan = plan
        self.cell = cell
        self.report = report
        self.stop = stop
        self.folder = make_folder(plan.output / cell.folder)
        self.shared = plan.output / "nnunet" / f"without-{cell.center}-seed{cell.seed}"
        self.trainer = trainer_name(plan.base.run.steps, plan.base.run.minutes)
        self.device = resolve_device(plan.base.run.device).type
        minutes = plan.base.run.minutes
        self.clock = TrainingClock(self.folder / SPENT, 60 * minutes if minutes else math.inf)
        find_command("nnUNetv2_train")

    def run(self) -> dict[str, Any] | None:
        """Export, plan, train and predict.

        Returns:
            What the training measured, its seconds over all sessions; None where it was stopped.
        """
        if not (self._prepare() and self._train() and self._predict()):
            return None
        return {"seconds": round(self.clock.seconds, 1), "trainer": self.trainer}

    def _prepare(self) -> bool:
        """nnU-Net's own plan and preprocessing, once for all runs on the same cases."""
        ready = self.shared / "ready"
        if ready.exists():
            return True
        config = self.plan.config(self.cell)
        split = split_by_patient(
            read_datalist(config.data.datalist), (), config.data.validation_share, self.cell.seed
        )
        self.report("  Exporting the cases for nnU-Net.")
        export(self.shared, split, self.plan.unseen(self.cell.center))
        spacing = [f"{config.data.spacing_mm:g}"] * 3
        done = self._call(
            "nnUNetv2_plan_and_preprocess",
            ["-d", DATASET[7:10], "-c", CONFIGURATION, "-np", "1", "-npfp", "1",
             "-overwrite_target_spacing", *spacing, "-overwrite_plans_name", "nnUNetPlans"],
        )  # fmt: skip
        if done:
            ready.touch()
        return done

    def _train(self) -> bool:
        """Train to the end of the trainer's epochs, or to the end of the minutes."""
        trained = self.folder / "trained"
        if trained.exists():
            return True
        arguments = [DATASET, CONFIGURATION, FOLD, "-tr", self.trainer, "-device", self.device]
        arguments.append("--c")
        self.report(f"  Training {self.trainer} on {self.device}; its log is {LOG}.")
        done = self.clock.seconds >= self.clock.budget
        if not done:
            with self.clock.running() as is_over:
                done = self._call("nnUNetv2_train", arguments, is_over)
        if done:
            trained.touch()
        return done

    def _predict(self) -> bool:
        """By the weights that its own validation liked best: it keeps out our patients."""
        raw = self.shared / "raw" / DATASET / "imagesTs"
        predictions = make_folder(self.folder / PREDICTIONS)
        return self._call(
            "nnUNetv2_predict",
            ["-i", str(raw), "-o", str(predictions), "-d", DATASET, "-c", CONFIGURATION,
             "-f", FOLD, "-tr", self.trainer, "-chk", "checkpoint_best.pth",
             "-device", self.device, "-npp", "1", "-nps", "1"],
        )  # fmt: skip

    def _call(
        self, command: str, arguments: Sequence[str], is_over: Callable[[], bool] = bool
    ) -> bool:
        """Run one of its commands to its end, or until its time is over.

        Returns:
            False where it was stopped.

        Raises:
            UserError: it failed, with the place of its log.
        """
        log = self.folder / LOG
        with log.open("a", encoding="utf-8") as output:
            process = subprocess.Popen(
                [find_command(command), *arguments],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that all processes that it starts can be ended
            )
            try:
                with last_act(partial(_signal, process, FORCED)):
                    while process.poll() is None:
                        stopped = self.stop()
                        if stopped or is_over():
                            return not stopped
                        time.sleep(0.5)
            finally:
                _end(process)
        if process.returncode:
            raise UserError(
                f"nnU-Net's {command} failed with code {process.returncode}: its reason is at the "
                f"end of {log}."
            )
        return True

    def _environment(self) -> dict[str, str]:
        """nnU-Net is told its folders and its processes by the environment only."""
        threads = str(self.plan.base.run.threads or Cores.of_this_process().usable)
        return {
            **os.environ,
            "nnUNet_raw": str(self.shared / "raw"),
            "nnUNet_preprocessed": str(self.shared / "preprocessed"),
            "nnUNet_results": str(self.folder / "results"),
            "nnUNet_n_proc_DA": str(max(1, self.plan.base.data.workers)),
            "nnUNet_compile": "f",
            "OMP_NUM_THREADS": threads,
        }


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command, and what it started, which may be deaf to being asked."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_S)
    _signal(process, FORCED)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(OSError):  # all are gone
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.terminate()


def predicted_file(number: int) -> Path:
    """The label map of the unseen center's case ``number``, from 1, in the cell's folder."""
    return Path(PREDICTIONS, f"{unseen_name(number)}{SUFFIX}")


def trainer_name(steps: int, minutes: float) -> str:
    """The trainer that makes at least ``steps``; the standard one where minutes end the run."""
    if minutes:
        return "nnUNetTrainer"
    epochs = next((each for each in EPOCHS if each * EPOCH_STEPS >= steps), EPOCHS[-1])
    return f"nnUNetTrainer_{epochs}epoch{'s' if epochs > 1 else ''}"


def find_command(name: str) -> str:
    """One of nnU-Net's commands, beside this Python or on the search path.

    Raises:
        UserError: it is not installed.
    """
    beside = shutil.which(name, path=str(Path(sys.executable).parent))
    found = beside or shutil.which(name)
    if found is None:
        raise UserError(
            f'The row nnunet needs {name}: install it by pip install "gsema_core[nnunet]", or '
            "leave the row out."
        )
    return found
