"""How often a gate that sees the decoder's gradients only decides as the exact one does.

    gsema simulate --phantoms 8 --randomize --model light --output phantoms
    python Testing/benchmarks/gate_scope.py phantoms/datalist.json --cache cache \
        [--kind cnn] [--patch 64] [--steps 500] [--transform paper]

Every step is an exact one, whose gradients are known for all weights: both decisions are taken on
them, in the same state. The teacher follows that of the decoder, as it does in a run with
``gate_scope = "decoder"``. Three starts: random weights, the middle of that run, and the bundled
teacher (a `cnn`; left out for another kind of network). Prints a JSON line for each.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor

from gsema_core.datasets import PatchDataset, VolumeCache, find_cases
from gsema_core.datasets.patches import PatchSampler
from gsema_core.intensities import IntensityRule
from gsema_core.networks import NetworkConfig, SegmentationNetwork
from gsema_core.surgery import Decision, Gate
from gsema_core.teachers import BUNDLED_TEACHER, read_card
from gsema_core.training.beginning import begin
from gsema_core.training.config import TrainingConfig
from gsema_core.training.target_transform import build_target_transform


@dataclass
class BothGates:
    """Decides as the decoder's gate; remembers what the exact one says in the same state.

    Attributes:
        gate: its coefficients and its similarity.
        decoder: which components of a flat gradient (N,) are the decoder's.
        decisions: of the exact gate and of the decoder's, a pair a step.
    """

    gate: Gate
    decoder: Tensor
    decisions: list[tuple[Decision, Decision]] = field(default_factory=list)

    def decide(self, source: Tensor, target: Tensor) -> Decision:
        exact = self.gate.decide(source, target)
        own = self.gate.decide(source[self.decoder], target[self.decoder])
        self.decisions.append((exact, own))
        return own


def decoder_components(student: SegmentationNetwork, patch: tuple[int, int, int]) -> Tensor:
    """Which components of the flat gradient (N,) no encoder's graph reaches; bool."""
    encoded = student.encode(torch.rand(1, 1, *patch))
    live = [each.sum() for each in (encoded.latent, *encoded.skips) if each.requires_grad]
    parameters = list(student.parameters())
    gradients = torch.autograd.grad(sum(live), parameters, allow_unused=True)
    return torch.cat(
        [
            torch.full((parameter.numel(),), gradient is None)
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]
    )


def compare(config: TrainingConfig, cache: Path, parts: dict[str, range]) -> None:
    """Make the steps of a run and print what both gates said in each of its parts."""
    data = config.data
    rule = IntensityRule(data.low_percentile, data.high_percentile)
    volumes = VolumeCache(cache, data.spacing_mm, rule)
    dataset = PatchDataset(
        [volumes.load(case) for case in find_cases(data.datalist)],
        PatchSampler(data.patch, data.aneurysm_share, data.random_orientation),
        build_target_transform(config),
        config.run.batch_size,
        config.run.seed,
    )
    trainer, _ = begin(config, Path("no checkpoint"), torch.device("cpu"))
    both = BothGates(trainer.gate, decoder_components(trainer.student, data.patch))
    trainer.gate = both  # type: ignore[assignment]  # decides, which is all that is asked of it
    for start, steps in parts.items():
        for step in steps:
            trainer.train_step([dataset[step]])
            if (step + 1) % 50 == 0:
                print(f"{start}: step {step + 1}", file=sys.stderr, flush=True)
        decisions = [*islice(both.decisions, steps.start, None)]
        print(json.dumps({**told(config), "start": start, **agreement(decisions)}), flush=True)


def told(config: TrainingConfig) -> dict[str, object]:
    network, method = config.network, config.method
    return {
        "kind": network.kind,
        "patch": config.data.patch[0],
        "transform": list(method.transform),
    }


def agreement(decisions: list[tuple[Decision, Decision]]) -> dict[str, object]:
    exact, decoder = zip(*decisions, strict=True)
    cosines = [torch.tensor([each.similarity for each in one]) for one in (exact, decoder)]
    return {
        "steps": len(decisions),
        "equal_decisions": round(mean(a.aligned == b.aligned for a, b in decisions), 4),
        "open_exact": round(mean(each.aligned for each in exact), 4),
        "open_decoder": round(mean(each.aligned for each in decoder), 4),
        "cosine_exact": round(float(cosines[0].mean()), 3),
        "cosine_decoder": round(float(cosines[1].mean()), 3),
        "correlation_of_cosines": round(float(torch.corrcoef(torch.stack(cosines))[0, 1]), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="for the prepared cases")
    parser.add_argument("--kind", default="cnn", choices=("swin_unet", "cnn"))
    parser.add_argument("--patch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=500, help="from each start")
    parser.add_argument("--transform", default="paper")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    card = read_card(BUNDLED_TEACHER)
    network = card.network if arguments.kind == "cnn" else NetworkConfig(arguments.kind).to_dict()
    steps = arguments.steps

    def config(run_steps: int, teacher: str = "") -> TrainingConfig:
        return TrainingConfig.preset(
            "default",
            datalist=arguments.datalist.resolve(),
            output=arguments.cache,
            network=network,
            method={"transform": [arguments.transform]},
            data={"patch": [arguments.patch] * 3},
            run={"steps": run_steps, "initial_teacher": teacher, "threads": arguments.threads},
        )

    parts = {"random weights": range(steps), "middle of a run": range(steps, 2 * steps)}
    compare(config(2 * steps), arguments.cache, parts)
    if arguments.kind == card.network["kind"]:
        parts = {"bundled teacher": range(steps)}
        compare(config(steps, str(BUNDLED_TEACHER)), arguments.cache, parts)


if __name__ == "__main__":
    main()
