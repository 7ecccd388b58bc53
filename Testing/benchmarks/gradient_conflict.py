"""Where and when the gradients of two domains conflict, by block of the network and over a run.

    python Testing/benchmarks/gradient_conflict.py DATALIST --output FOLDER --center B \
        --config docs/benchmark/table1.toml --steps 2000 --every 500 [--probes 24] [--batch 4] \
        [--transform gin] [--domains A:C] [--checkpoint cells/B/no_ema-seed0/checkpoint.pt]

One student is trained without the center, as the benchmark's row no_ema is. At step 0 and every
EVERY steps it is probed: gradients of fresh patches, by which it is not changed. ``--checkpoint``
probes the students of these runs instead and trains nothing.

The two domains are a source patch and its target, as in the paper. ``--domains A:C`` compares
patches of two centers instead, as they are: the larger gap that real centers have. ``A:A`` is what
two patches of one center differ by, without any domain.

Of each block (all is the paper's gate): the mean cosine, the share of probes in conflict, the share
of weights with opposite signs, and the cosine of the two mean gradients over all probes. Where that
one is positive and single probes conflict, the conflict is chance of the patches and not the
domains'. Prints CSV.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from teacher_alphas import run_config
from torch import Tensor

from gsema_core.datasets import PatchDataset, VolumeCache, find_cases, split_by_patient
from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.patches import PatchPair, PatchSampler
from gsema_core.intensities import IntensityRule
from gsema_core.networks import SegmentationNetwork, build_network
from gsema_core.surgery import GradientRows, gradient_similarity, split_backward
from gsema_core.training.config import TrainingConfig
from gsema_core.training.target_transform import build_target_transform
from gsema_core.training.trainer import Trainer
from gsema_core.transforms import build_transform

PROBE_SEED = 1_000_003
"""Of probes: other patches than those that train, the same for every state."""

DEPTH = 4
"""Parts of a weight's dotted name that make a block: ``body.net.down_layers.0``."""


@dataclass
class Sums:
    """Of one block over the probes: cosines, opposite signs, and both mean gradients."""

    cosines: list[float]
    opposite: list[float]
    source: Tensor
    target: Tensor

    def add(self, source: Tensor, target: Tensor) -> None:
        self.cosines.append(gradient_similarity(source, target))
        product = source * target
        self.opposite.append(float((product < 0).sum() / (product != 0).sum().clamp(min=1)))
        self.source += source
        self.target += target

    def told(self) -> dict[str, float]:
        count = len(self.cosines)
        return {
            "weights": len(self.source),
            "cosine": round(sum(self.cosines) / count, 4),
            "conflicts": round(sum(each <= 0 for each in self.cosines) / count, 4),
            "opposite_signs": round(sum(self.opposite) / count, 4),
            "cosine_of_means": round(gradient_similarity(self.source, self.target), 4),
        }


def blocks(student: SegmentationNetwork) -> dict[str, Tensor]:
    """The flat weights (N,) of each block, as indices; ``all`` first."""
    found: dict[str, list[int]] = {}
    first = 0
    for name, parameter in student.named_parameters():
        block = ".".join(name.split(".")[:-1][:DEPTH])
        found.setdefault(block, []).extend(range(first, first + parameter.numel()))
        first += parameter.numel()
    return {"all": torch.arange(first), **{name: torch.tensor(at) for name, at in found.items()}}


def probe(trainer: Trainer, pairs: Iterable[PatchPair]) -> Mapping[str, Mapping[str, float]]:
    """What the gradients of these pairs say, by block; nothing of the trainer changes."""
    student = trainer.student
    rows = GradientRows(student.parameters())
    where = blocks(student)
    sums = {
        name: Sums([], [], torch.zeros(len(at)), torch.zeros(len(at))) for name, at in where.items()
    }
    student.train()
    for pair in pairs:
        rows.zero_()
        with trainer.computing.autocast():
            split_backward(
                rows,
                student,
                None,
                (pair.source_image, pair.source_labels),
                (pair.target_image, pair.target_labels),
                trainer.segmentation_loss,
            )
        for name, at in where.items():
            sums[name].add(rows.source[at], rows.target[at])
    return {name: each.told() for name, each in sums.items()}


class Pairs:
    """Batches of both domains by number: source and target, or two centers as they are."""

    def __init__(
        self, config: TrainingConfig, volumes: list[CachedVolume], domains: str, batch: int
    ) -> None:
        data = config.data
        sampler = PatchSampler(data.patch, data.aneurysm_share, data.random_orientation)
        if not domains:
            transform = build_target_transform(config)
            self.one = self.other = PatchDataset(volumes, sampler, transform, batch, PROBE_SEED)
            return
        self.one, self.other = (
            PatchDataset(
                [each for each in volumes if each.case.center == center],
                sampler,
                build_transform("none"),
                batch,
                PROBE_SEED + place,
            )
            for place, center in enumerate(domains.split(":"))
        )

    def __getitem__(self, number: int) -> PatchPair:
        one, other = self.one[number], self.other[number]
        return one._replace(target_image=other.target_image, target_labels=other.target_labels)


def main() -> None:
    arguments = parse()
    config = run_config(arguments)
    torch.set_num_threads(config.run.threads or 1)
    torch.manual_seed(config.run.seed)
    data = config.data
    seen = [case for case in find_cases(arguments.datalist) if case.center != arguments.center]
    split = split_by_patient(seen, (), data.validation_share, config.run.seed)
    rule = IntensityRule(data.low_percentile, data.high_percentile)
    cache = VolumeCache(data.cache, data.spacing_mm, rule)
    volumes = [cache.load(case) for case in split.training]
    pairs = Pairs(config, volumes, arguments.domains, arguments.batch)
    trainer = Trainer(config, build_network(config.network), torch.device("cpu"))
    writer = csv.writer(sys.stdout)
    heads = (
        "state",
        "domains",
        "transform",
        "batch",
        "block",
        *Sums([0], [0], *torch.zeros(2, 1)).told(),
    )
    writer.writerow(heads)
    about = (
        arguments.domains or "source:target",
        "none" if arguments.domains else "+".join(config.method.transform),
        arguments.batch,
    )
    for state in states(arguments, config, trainer, volumes):
        found = probe(trainer, (pairs[n] for n in range(arguments.probes)))
        for block, numbers in found.items():
            writer.writerow((state, *about, block, *numbers.values()))
        sys.stdout.flush()


def states(
    arguments: argparse.Namespace,
    config: TrainingConfig,
    trainer: Trainer,
    volumes: list[CachedVolume],
) -> Iterator[str]:
    """Put the trainer into each state and name it."""
    for path in arguments.checkpoint:
        state = torch.load(path, map_location="cpu", weights_only=True)
        trainer.student.load_state_dict(state["student"])
        yield f"{path.parent.name} step {state['step']}"
    if arguments.checkpoint:
        return
    data = config.data
    sampler = PatchSampler(data.patch, data.aneurysm_share, data.random_orientation)
    transform = build_target_transform(config)
    dataset = PatchDataset(volumes, sampler, transform, config.run.batch_size, config.run.seed)
    yield "step 0"
    for step in range(config.run.steps):
        trainer.train_step([dataset[step]])
        if (step + 1) % arguments.every == 0:
            yield f"step {step + 1}"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="for the prepared cases")
    parser.add_argument("--center", required=True, help="left out of training and probes")
    parser.add_argument("--config", type=Path, required=True, help="the benchmark's settings")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--every", type=int, default=500, help="steps between probes")
    parser.add_argument("--probes", type=int, default=24, help="batches of each domain a probe")
    parser.add_argument("--batch", type=int, default=1, help="patches of a probe's batch")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--schedule", choices=("cosine", "constant", "step", "late_fall"))
    parser.add_argument("--transform", help="from source to target, instead of the config's")
    parser.add_argument(
        "--domains", default="", help="two seen centers, A:C, instead of the transform"
    )
    parser.add_argument("--checkpoint", type=Path, nargs="*", default=[], help="of finished runs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
