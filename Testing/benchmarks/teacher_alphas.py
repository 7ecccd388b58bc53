"""What the gate and the teacher's coefficients are worth, on one and the same student.

    python Testing/benchmarks/teacher_alphas.py DATALIST --output FOLDER --center D \
        --config docs/benchmark/table1.toml --steps 1000 [--schedule constant] [--transform gin]

Without a contrastive loss the student does not depend on its teacher. So one student is trained
without the center, as the benchmark's row gs_ema is, and several teachers follow it, each with its
own coefficients where the gate is open and where it is closed, with one gate or with one for each
layer or weight, with and without warm-up. Prints a Markdown table of their mean aneurysm Dice,
decided and cleaned on the working grid as the benchmark's validations are, for the patients kept
out and for the unseen center, which has no part in any choice. Every gated teacher is tested on the
unseen patients against the average with its alpha and without a gate (Wilcoxon, Holm).
"""

from __future__ import annotations

import argparse
import copy
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from gate_scope import decoder_components
from torch import Tensor

from gsema_core.benchmark import Plan
from gsema_core.benchmark.plan import Cell
from gsema_core.configuration.toml_files import read_toml
from gsema_core.datasets import PatchDataset, VolumeCache, find_cases, split_by_patient
from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.patches import PatchSampler
from gsema_core.evaluation.statistics import compare_rows, holm
from gsema_core.intensities import IntensityRule
from gsema_core.networks import build_network
from gsema_core.surgery import Decision, WeightParts, update_teacher, warmed_up_alpha
from gsema_core.text_tables import markdown_table
from gsema_core.training.config import TrainingConfig
from gsema_core.training.presets import with_preset_file
from gsema_core.training.trainer import StepRecord, Trainer
from gsema_core.training.validation import validate, validation_settings
from gsema_core.transforms import build_transform


@dataclass(frozen=True)
class Kind:
    """How a teacher follows: coefficients in agreement and in conflict, and what decides.

    Attributes:
        unit: what follows by one decision: network, layer, weight, or the whole by its decoder.
        warm: whether its first steps are warmed up.
    """

    aligned: float
    conflict: float
    unit: str = "network"
    warm: bool = True


TESTED = ("against", "difference", "effect", "p (Holm)")
ALPHAS = (0.9, 0.99, 0.999)
UNITS = {"layer": "of each layer", "weight": "of each weight", "decoder": "of the decoder"}
TEACHERS = {
    "no EMA": Kind(0.0, 0.0),
    **{f"EMA {alpha:g}": Kind(alpha, alpha) for alpha in ALPHAS},
    **{f"GS-EMA {alpha:g} / 1": Kind(alpha, 1.0) for alpha in ALPHAS},
    "GS-EMA 0.9 / 0.9999": Kind(0.9, 0.9999),
    "Algorithm 1 as printed, 1 / 0.9": Kind(1.0, 0.9),
    **{f"EMA {alpha:g}, no warm-up": Kind(alpha, alpha, warm=False) for alpha in ALPHAS},
    **{f"GS-EMA {alpha:g} / 1, no warm-up": Kind(alpha, 1.0, warm=False) for alpha in ALPHAS},
    **{
        f"GS-EMA {alpha:g} / 1, gate {title}": Kind(alpha, 1.0, unit)
        for unit, title in UNITS.items()
        for alpha in ALPHAS
    },
}


class Watched:
    """The trainer's gate; remembers what the other gates say of the same gradients."""

    def __init__(self, trainer: Trainer, patch: tuple[int, int, int]) -> None:
        self.gate = trainer.gate
        self.parts = {unit: WeightParts.of(unit, trainer.student) for unit in ("layer", "weight")}
        self.decoder = decoder_components(trainer.student, patch)
        self.open: dict[str, bool | Tensor] = {}

    def decide(self, source: Tensor, target: Tensor) -> Decision:
        decision = self.gate.decide(source, target)
        decoder = self.gate.decide(source[self.decoder], target[self.decoder])
        self.open = {"network": decision.aligned, "decoder": decoder.aligned}
        for unit, parts in self.parts.items():
            self.open[unit] = parts.spread(parts.dot(source, target) > 0)
        return decision


class Follower:
    """A teacher beside the trainer's own.

    Its first steps are warmed up where it is meant to follow: in conflict only without a gate, or
    with Algorithm 1's as printed.
    """

    def __init__(self, trainer: Trainer, kind: Kind) -> None:
        self.trainer, self.kind = trainer, kind
        self.network = copy.deepcopy(trainer.teacher)
        self.updates = self.opened = 0.0

    def follow(self, record: StepRecord, watched: Watched) -> None:
        if record.skipped:
            return
        kind, here = self.kind, watched.open[self.kind.unit]
        follows = self.warmed_up(kind.aligned, kind.warm)
        stays = self.warmed_up(kind.conflict, kind.warm and kind.conflict <= kind.aligned)
        share = float(here) if isinstance(here, bool) else float(here.float().mean())
        alpha = (
            (follows if here else stays)
            if isinstance(here, bool)
            else torch.where(here, follows, stays)
        )
        update_teacher(self.network, self.trainer.student, alpha)
        self.updates += share * (follows < 1.0) + (1.0 - share) * (stays < 1.0)
        self.opened += share

    def warmed_up(self, alpha: float, warm: bool) -> float:
        return warmed_up_alpha(alpha, int(self.updates)) if warm else alpha


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
    trainer.gate = watched = Watched(trainer, data.patch)  # decides, which is all it is asked
    followers = {name: Follower(trainer, kind) for name, kind in TEACHERS.items()}
    records = []
    for step in range(config.run.steps):
        records.append(trainer.train_step([dataset[step]]))
        for follower in followers.values():
            follower.follow(records[-1], watched)
    kept_out = [cache.load(case) for case in split.validation]
    unseen = [cache.load(case) for case in cases if case.center == arguments.center]
    found = {
        name: [dices(follower, some, config) for some in (kept_out, unseen)]
        for name, follower in followers.items()
    }
    tests = compared([each.case.patient for each in unseen], {n: f[1] for n, f in found.items()})
    rows = [
        {
            "teacher": name,
            "updates": f"{follower.updates:.0f}",
            "gate open": f"{follower.opened / max(1, len(records)):.3f}",
            f"Dice, {len(kept_out)} kept out": f"{np.mean(found[name][0]):.4f}",
            f"Dice, {len(unseen)} of unseen {arguments.center}": f"{np.mean(found[name][1]):.4f}",
            **{column: tests.get(name, {}).get(column, "-") for column in TESTED},
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


def dices(follower: Follower, volumes: list[CachedVolume], config: TrainingConfig) -> list[float]:
    """The aneurysm Dice of each case."""
    found: list[float] = []
    validate(
        follower.network,
        volumes,
        config.data.patch,
        config.data.spacing_mm,
        validation_settings(config),
        torch.device("cpu"),
        lambda volume, predicted, scores: found.append(scores["aneurysm_dice"]),
    )
    return found


def compared(patients: list[str], found: dict[str, list[float]]) -> dict[str, dict[str, str]]:
    """Every gated teacher against the average with its alpha and without a gate, by patient."""
    against, tests = {}, {}
    for name in found:
        plain = name.split(" / ")[0].replace("GS-EMA", "EMA")
        plain += ", no warm-up" if name.endswith("no warm-up") else ""
        if name.startswith("GS-EMA") and plain in found:
            tests[name] = compare_rows(found[name], {plain: found[plain]}, patients)[plain]
            against[name] = plain
    corrected = holm([test.p for test in tests.values()])
    return {
        name: dict(
            zip(
                TESTED,
                (
                    against[name],
                    f"{test.mean_difference:+.4f}",
                    f"{test.rank_biserial:+.2f}",
                    f"{p:.3f}",
                ),
                strict=True,
            )
        )
        for (name, test), p in zip(tests.items(), corrected, strict=True)
    }


def run_config(arguments: argparse.Namespace) -> TrainingConfig:
    tables = with_preset_file(read_toml(arguments.config), arguments.config.parent)
    tables.pop("rows", None)
    base = TrainingConfig.from_dict(tables)
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
