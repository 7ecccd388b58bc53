"""How long a GS-EMA step takes beside the naive one and beside plain supervised training.

    python Testing/benchmarks/training_step.py [--kind swin_unet] [--patch 64] [--threads 1]
    python Testing/benchmarks/training_step.py --gate-scope decoder
    python Testing/benchmarks/training_step.py --features 24 --stages 2 --heads 3 --window 7

The last line has the shape of the paper's network: one Swin stage, a latent of 48 channels at a
quarter of the resolution.

Three steps on the same network, patches and machine, taking turns: the naive one (four forwards, a
backward of the total loss, one more for each domain's gradient), ours (split_backward), and
supervised training on both streams: two forwards and a backward of the sum of the losses. Beside
it the same as one batch of two. Prints one JSON line with the ratios of the median times (this
process's CPU time: other programs hardly change it), the same ratios of the multiplications (which
nothing changes), the share of a forward pass (and, by time, of its backward pass) that lies on the
way to the latent, by multiplications and by time, the largest difference between the
naive gradients and ours, relative to the largest gradient, in float32 (of the total alone where the
gate compares the decoder's), and the memory that each step's graph keeps at its peak.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from gsema_core.losses import BoundaryAwareContrastiveLoss, DiceCELoss
from gsema_core.networks import NetworkConfig, build_network
from gsema_core.surgery import GradientRows, split_backward

SUPERVISED, CONTRASTIVE = 0.25, 0.5  # equation 6


class Steps:
    """The three steps; each leaves its gradients, flat, where it can be compared."""

    def __init__(self, network: NetworkConfig, patch: int, gate_scope: str = "all") -> None:
        torch.manual_seed(0)
        self.encoder_once = (SUPERVISED, CONTRASTIVE) if gate_scope == "decoder" else None
        self.student = build_network(network)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        for parameter in self.teacher.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
        self.source = torch.rand(1, 1, patch, patch, patch)
        self.target = (self.source**2 + 0.1 * torch.rand_like(self.source)).clamp(0, 1)
        self.labels = (self.source > 0.9).byte() + (self.source > 0.97).byte()
        self.labels_twice = torch.cat([self.labels, self.labels])
        self.loss = DiceCELoss()
        self.contrast = BoundaryAwareContrastiveLoss()
        self.rows = GradientRows(self.student.parameters())

    def naive(self) -> Tensor:
        student, teacher = self.student, self.teacher
        encoded = [student.encode(image) for image in (self.source, self.target)]
        losses = [self.loss(student.decode(each), self.labels) for each in encoded]
        with torch.no_grad():
            references = []
            for image in (self.source, self.target):
                reference = teacher.encode(image)
                self.loss(teacher.decode(reference), self.labels)  # eq. 6 has it; no gradient
                references.append(reference.latent)
        contrast = self.contrast(*(each.latent for each in encoded), *references)
        total = SUPERVISED * (losses[0] + losses[1]) + CONTRASTIVE * contrast
        return torch.stack(
            [self._flat(loss, keep=True) for loss in losses] + [self._flat(total, keep=False)]
        )

    def ours(self) -> Tensor:
        self.rows.zero_()
        streams = (self.source, self.labels), (self.target, self.labels)
        split_backward(
            self.rows, self.student, self.teacher, *streams, self.loss, self.contrast,
            encoder_once=self.encoder_once,
        )  # fmt: skip
        source, target = self.rows.source.clone(), self.rows.target.clone()
        third = 1.0 if self.encoder_once else CONTRASTIVE
        return torch.stack([source, target, self.rows.combine(SUPERVISED, third)])

    def supervised(self) -> Tensor:
        losses = [self.loss(self.student(each), self.labels) for each in (self.source, self.target)]
        return self._flat(losses[0] + losses[1], keep=False)

    def supervised_batch(self) -> Tensor:
        loss = self.loss(self.student(torch.cat([self.source, self.target])), self.labels_twice)
        return self._flat(2 * loss, keep=False)

    def to_latents(self) -> Tensor:
        """The part of `supervised` that lies on the way to the latents, forward and backward."""
        encoded = [self.student.encode(each) for each in (self.source, self.target)]
        maps = [each for one in encoded for each in (one.latent, *one.skips) if each.requires_grad]
        return self._flat(torch.stack([each.float().sum() for each in maps]).sum(), keep=False)

    def _flat(self, loss: Tensor, keep: bool) -> Tensor:
        parameters = list(self.student.parameters())
        gradients = torch.autograd.grad(loss, parameters, retain_graph=keep, allow_unused=True)
        return torch.cat(
            [
                (torch.zeros_like(p) if g is None else g).flatten()
                for p, g in zip(parameters, gradients, strict=True)
            ]
        )


def multiplications(step: Callable[[], object]) -> int:
    """Of convolutions and matrix products, forward and backward, without fused attention."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops() // 2


def graph_megabytes(step: Callable[[], Tensor]) -> float:
    """The most that the tensors saved for backward hold at one time, each storage counted once."""
    alive: dict[int, int] = {}
    sizes: dict[int, int] = {}
    peak = 0

    class Held:
        def __init__(self, tensor: Tensor) -> None:
            nonlocal peak
            self.tensor = tensor
            self.key = tensor.untyped_storage().data_ptr()
            alive[self.key] = alive.get(self.key, 0) + 1
            sizes[self.key] = tensor.untyped_storage().nbytes()
            peak = max(peak, sum(sizes[key] for key in alive))

        def __del__(self) -> None:
            alive[self.key] -= 1
            if not alive[self.key]:
                del alive[self.key]

    with saved_tensors_hooks(Held, lambda held: held.tensor):
        step()
    return peak / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kind", default="swin_unet", choices=("swin_unet", "cnn"))
    parser.add_argument("--patch", type=int, default=64)
    for name in ("features", "stages", "depth", "heads", "window"):
        parser.add_argument(f"--{name}", type=int, default=getattr(NetworkConfig, name))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--gate-scope", default="all", choices=("all", "decoder"))
    parser.add_argument("--precision", default="bf16", choices=("bf16", "fp32"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    shape = {name: getattr(arguments, name) for name in NetworkConfig().to_dict()}
    steps = Steps(NetworkConfig(**shape), arguments.patch, arguments.gate_scope)
    candidates = {
        "naive": steps.naive,
        "ours": steps.ours,
        "supervised": steps.supervised,
        "supervised_batch": steps.supervised_batch,
        "to_latents": steps.to_latents,
    }
    expected, actual = steps.naive(), steps.ours()
    if steps.encoder_once:
        expected, actual = expected[-1], actual[-1]
    difference = float((expected - actual).abs().max() / expected.abs().max())
    memory = {name: round(graph_megabytes(step), 1) for name, step in candidates.items()}
    work = {name: multiplications(step) for name, step in candidates.items()}
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for repeat in range(arguments.repeats + 1):  # the first turn warms up
        for name, step in candidates.items():
            start = time.process_time()
            with torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision == "bf16"):
                step()
            if repeat:
                times[name].append(time.process_time() - start)
    median = {name: statistics.median(values) for name, values in times.items()}
    line = {
        **vars(arguments),
        "ratio_to_naive": round(median["ours"] / median["naive"], 3),
        "ratio_to_supervised": round(median["ours"] / median["supervised"], 3),
        "ratio_to_supervised_batch": round(median["ours"] / median["supervised_batch"], 3),
        "work_to_naive": round(work["ours"] / work["naive"], 3),
        "work_to_supervised": round(work["ours"] / work["supervised"], 3),
        "latent_share": round(work["to_latents"] / work["supervised"], 3),
        "latent_share_of_time": round(median["to_latents"] / median["supervised"], 3),
        "max_gradient_difference": difference,
        "seconds": {name: round(value, 4) for name, value in median.items()},
        "graph_megabytes": memory,
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
