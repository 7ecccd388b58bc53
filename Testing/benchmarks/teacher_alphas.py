"""What the gate and the teacher's coefficients are worth, on one and the same student.

    python Testing/benchmarks/teacher_alphas.py DATALIST --output FOLDER --center D \
        --config base.toml --steps 1000 [--schedule constant] [--transform gin]

Without a contrastive loss the student does not depend on its teacher. So one student is trained
without the center, as the benchmark's row gs_ema is, and several teachers follow it, each with its
own coefficients where the gate is open and where it is closed. Prints a Markdown table of their
mean aneurysm Dice, decided and cleaned on the working grid as the benchmark's validations are, for
the patients kept out and for the unseen center, which has no part in any choice.
"""

from __future__ import annotations

import argparse
import copy
import json
from dataclasses import replace
from pathlib import Path

import torch

from gsema_core.benchmark import Plan
from gsema_core.benchmark.plan import Cell
from gsema_core.configuration.toml_files import read_toml
from gsema_core.datasets import PatchDataset, VolumeCache, find_cases, split_by_patient
from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.patches import PatchSampler
from gsema_core.intensities import IntensityRule
from gsema_core.networks import build_network
from gsema_core.surgery import update_teacher, warmed_up_alpha
from gsema_core.text_tables import markdown_table
from gsema_core.training.config import TrainingConfig
from gsema_core.training.trainer import StepRecord, Trainer
from gsema_core.training.validation import validate, validation_settings
from gsema_core.transforms import build_transform

TEACHERS = {
    "no EMA": (0.0, 0.0),
    **{f"EMA {alpha:g}": (alpha, alpha) for alpha in (0.9, 0.99, 0.999)},
    **{f"GS-EMA {alpha:g} / 1": (alpha, 1.0) for alpha in (0.9, 0.99, 0.999)},
    "GS-EMA 0.9 / 0.9999": (0.9, 0.9999),
    "Algorithm 1 as printed, 1 / 0.9": (1.0, 0.9),
}


class Follower:
    """A teacher beside the trainer's own.

    Its first steps are warmed up where it is meant to follow: in conflict only without a gate, or
    with Algorithm 1's as printed.
    """

    def __init__(self, trainer: Trainer, aligned: float, conflict: float) -> None:
        self.trainer = trainer
        self.alphas = {True: aligned, False: conflict}
        self.warmed_up = {True: True, False: conflict <= aligned}
        self.network = copy.deepcopy(trainer.teacher)
        self.updates = 0

    def follow(self, record: StepRecord) -> None:
        if record.skipped:
            return
        alpha = self.alphas[record.gate_open]
        if self.warmed_up[record.gate_open]:
            alpha = warmed_up_alpha(alpha, self.updates)
        update_teacher(self.network, self.trainer.student, alpha)
        self.updates += alpha < 1.0


def main() -> None:
    arguments = parse()
    config = run_config(arguments)
    torch.set_num_threads(config.run.threads or 1)
    torch.manual_seed(config.run.seed)
    data = config.data
    cases = find_cases(arguments.datalist)
    seen = [case for case in cases if case.center != arguments.center]
    split = split_by_patient(seen, (), data.validation_share, config.run.seed)
    cache = VolumeCache(
        data.cache, data.spacing_mm, IntensityRule(data.low_percentile, data.high_percentile)
    )
    dataset = PatchDataset(
        [cache.load(case) for case in split.training],
        PatchSampler(data.patch, data.aneurysm_share, data.random_orientation),
        build_transform(config.method.transform),
        config.run.batch_size,
        config.run.seed,
    )
    trainer = Trainer(config, build_network(config.network), torch.device("cpu"))
    followers = {name: Follower(trainer, *alphas) for name, alphas in TEACHERS.items()}
    records = []
    for step in range(config.run.steps):
        records.append(trainer.train_step([dataset[step]]))
        for follower in followers.values():
            follower.follow(records[-1])
    kept_out = [cache.load(case) for case in split.validation]
    unseen = [cache.load(case) for case in cases if case.center == arguments.center]
    rows = [
        {
            "teacher": name,
            "updates": follower.updates,
            f"Dice, {len(kept_out)} kept out": dice(follower, kept_out, config),
            f"Dice, {len(unseen)} of unseen {arguments.center}": dice(follower, unseen, config),
        }
        for name, follower in followers.items()
    ]
    opened = sum(record.gate_open for record in records) / len(records)
    summary = {
        "steps": len(records),
        "schedule": config.optimization.schedule,
        "transform": config.method.transform,
        "gate_open": round(opened, 4),
        "cosine": round(sum(record.similarity for record in records) / len(records), 4),
    }
    print(json.dumps(summary))
    print(markdown_table(rows))


def dice(follower: Follower, volumes: list[CachedVolume], config: TrainingConfig) -> str:
    scores = validate(
        follower.network,
        volumes,
        config.data.patch,
        config.data.spacing_mm,
        validation_settings(config),
        torch.device("cpu"),
    )
    return f"{scores['aneurysm_dice']:.4f}"


def run_config(arguments: argparse.Namespace) -> TrainingConfig:
    base = TrainingConfig.from_dict(read_toml(arguments.config))
    base = replace(base, run=replace(base.run, steps=arguments.steps))
    if arguments.schedule:
        optimization = replace(base.optimization, schedule=arguments.schedule)
        base = replace(base, optimization=optimization)
    if arguments.transform:
        base = replace(base, method=replace(base.method, transform=(arguments.transform,)))
    cell = Cell("gs_ema", arguments.center, arguments.seed)
    plan = Plan(tuple(find_cases(arguments.datalist)), base, (cell.row,), (cell.center,),
                (cell.seed,), arguments.output.resolve())  # fmt: skip
    return plan.config(cell)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="for the prepared cases")
    parser.add_argument("--center", required=True, help="left out of training")
    parser.add_argument("--config", type=Path, required=True, help="the benchmark's settings")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--schedule", choices=("cosine", "constant", "step", "late_fall"))
    parser.add_argument("--transform", help="from source to target, instead of the config's")
    return parser.parse_args()


if __name__ == "__main__":
    main()
