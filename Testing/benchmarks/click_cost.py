"""What clicks cost: a training step with and without them, and a window of a segmentation.

    python Testing/benchmarks/click_cost.py [--kind cnn] [--patch 64] [--threads 1]

Steps of the same two networks on the same patches take turns: without click channels, and with them
where half of the patches are clicked and the teacher answers before each further click. The patch
is noise around a ball that is an aneurysm; a network of random weights errs there, so that every
further click that is wanted is made, which is the most they cost. Prints one JSON line with the
ratio of the mean times (this process's CPU time: other programs hardly change it), the teacher's
answers for each step, and the ratio of the times of a window with two clicks to one without.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from gsema_core.clicks import click_channels
from gsema_core.datasets.patches import PatchPair
from gsema_core.networks import build_network
from gsema_core.training import TrainingConfig
from gsema_core.training.trainer import Trainer

WIDTH_MM = 1.5


def trainer_of(arguments: argparse.Namespace, width_mm: float) -> Trainer:
    """A run with the settings' defaults on small patches."""
    patch = [arguments.patch] * 3
    network = {"kind": arguments.kind, "click_width_mm": width_mm}
    run = {"precision": arguments.precision, "device": "cpu", "threads": arguments.threads}
    config = TrainingConfig.preset(
        "default", datalist="none", output="none", network=network, data={"patch": patch}, run=run
    )
    torch.manual_seed(0)
    return Trainer(config, build_network(config.network), torch.device("cpu"))


def ball_in_noise(patch: int) -> PatchPair:
    k, j, i = np.indices((patch,) * 3) - patch // 2
    ball = torch.from_numpy(k**2 + j**2 + i**2 < 8**2)[None, None]
    image = torch.rand(1, 1, *[patch] * 3, generator=torch.Generator().manual_seed(0))
    labels = ball.byte() * 2
    return PatchPair(image, labels, image**2, labels)


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def steps(arguments: argparse.Namespace) -> dict[str, float]:
    """The mean seconds of both steps, and the teacher's answers."""
    trainers = {"plain": trainer_of(arguments, 0.0), "clicked": trainer_of(arguments, WIDTH_MM)}
    pair = ball_in_noise(arguments.patch)
    answers: list[int] = []
    answer = trainers["clicked"]._teachers_aneurysms
    trainers["clicked"]._teachers_aneurysms = lambda image: answers.append(1) or answer(image)  # type: ignore[method-assign,func-returns-value]
    times: dict[str, list[float]] = {name: [] for name in trainers}
    for repeat in range(arguments.repeats + 1):  # the first turn warms up
        for name, trainer in trainers.items():
            taken = seconds(lambda trainer=trainer: trainer.train_step([pair]))  # type: ignore[misc]
            if repeat:
                times[name].append(taken)
    found = {name: statistics.fmean(values) for name, values in times.items()}
    return {**found, "answers_a_step": len(answers) / (arguments.repeats + 1)}


def windows(arguments: argparse.Namespace) -> dict[str, float]:
    """The median seconds of a window: without channels, none clicked, and with two clicks."""
    plain = trainer_of(arguments, 0.0).teacher
    clicked = build_network(replace(plain.config, click_width_mm=WIDTH_MM)).eval()
    image = torch.rand(1, 1, *[arguments.patch] * 3)
    middle = [arguments.patch / 2] * 3

    def with_clicks() -> torch.Tensor:
        channels = click_channels(image.shape[2:], [middle], [[9, 9, 9]], WIDTH_MM / 0.5)
        with_them: torch.Tensor = clicked(torch.cat([image, torch.from_numpy(channels)[None]], 1))
        return with_them

    candidates: dict[str, Callable[[], object]] = {
        "plain": lambda: plain(image),
        "not_clicked": lambda: clicked(image),
        "clicked": with_clicks,
    }
    times: dict[str, list[float]] = {name: [] for name in candidates}
    bf16 = arguments.precision == "bf16"
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for repeat in range(arguments.repeats + 1):
            for name, work in candidates.items():
                taken = seconds(work)
                if repeat:
                    times[name].append(taken)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kind", default="cnn", choices=("swin_unet", "cnn"))
    parser.add_argument("--patch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--precision", default="bf16", choices=("bf16", "fp32"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    step, window = steps(arguments), windows(arguments)
    line = {
        **vars(arguments),
        "step_to_plain": round(step["clicked"] / step["plain"], 3),
        "window_to_plain": round(window["clicked"] / window["plain"], 3),
        "not_clicked_to_plain": round(window["not_clicked"] / window["plain"], 3),
        "step": {name: round(value, 4) for name, value in step.items()},
        "window": {name: round(value, 4) for name, value in window.items()},
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
