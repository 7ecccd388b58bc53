"""What the networks cost: GMAC and seconds for one patch of 64^3, beside MONAI's own.

    python Testing/benchmarks/networks.py [--size 64] [--threads 1] [--repeats 5] [--only cnn]

Prints one JSON line a network and precision, bf16 only where the CPU has it. Machines are shared
and noisy: seconds are CPU time, the networks take turns, and each line gives the median. ``parts``
says what share of the multiplications each part of our networks takes. "plain" are ours without one
kind of our faster layers (``gsema_core/networks/faster_layers.py``).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from unittest import mock

import torch
from monai.networks.nets import SegResNet, SwinUNETR
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from gsema_core.machine import Computing
from gsema_core.networks import NetworkConfig, build_network
from gsema_core.networks.faster_layers import FASTER

OURS = {
    "swin_unet": NetworkConfig("swin_unet"),
    "cnn": NetworkConfig("cnn"),
    "the paper's shape": NetworkConfig("swin_unet", features=24, stages=2, heads=3, window=7),
}


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    found: dict[str, nn.Module] = {}
    for name, config in OURS.items():
        found[name] = build_network(config)
        for plain, faster in list(FASTER.items()):
            if any(type(layer) is faster for layer in found[name].modules()):
                with mock.patch.dict(FASTER):
                    del FASTER[plain]
                    found[f"{name}, plain {plain.__name__}"] = build_network(config)
    found["monai SwinUNETR, 12 features"] = SwinUNETR(1, 3, feature_size=12)
    found["monai SegResNet, 8 filters"] = SegResNet(in_channels=1, out_channels=3, init_filters=8)
    return found


def count(network: nn.Module, patch: Tensor) -> tuple[float, dict[str, float]]:
    """GMAC of a forward pass, and the share in percent of every part that takes over 2 %."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(patch)
    flops = {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}
    total = flops.pop("Global")
    flops.pop(type(network).__name__, None)
    # The uppermost modules that were called: what lies inside them is counted with them.
    top = [name for name in flops if not any(name.startswith(f"{other}.") for other in flops)]
    parts = {
        name.split(".", 1)[1]: round(100 * flops[name] / total, 1)
        for name in top
        if flops[name] > 0.02 * total
    }
    return total / 2e9, parts


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="networks whose names begin so")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    patch = torch.rand(1, 1, *(arguments.size,) * 3)
    candidates = {n: each for n, each in networks().items() if n.startswith(arguments.only)}
    precisions = ("fp32", "bf16") if Computing.of("cpu").precision == "bf16" else ("fp32",)
    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for repeat in range(arguments.repeats + 1):  # the first turn warms up
        for name, network in candidates.items():
            for precision in precisions:
                pair = time_once(network, patch, precision == "bf16")
                if repeat:
                    times.setdefault((name, precision), []).append(pair)
    for name, network in candidates.items():
        gmac, parts = count(network, patch)
        for precision in precisions:
            forward, both = zip(*times[name, precision], strict=True)
            line = {
                "network": name,
                "precision": precision,
                "size": arguments.size,
                "threads": arguments.threads,
                "parameters_million": round(sum(p.numel() for p in network.parameters()) / 1e6, 2),
                "gmac": round(gmac, 2),
                "forward_seconds": round(statistics.median(forward), 4),
                "forward_backward_seconds": round(statistics.median(both), 4),
                "parts_percent": parts,
            }
            print(json.dumps(line), flush=True)


def time_once(network: nn.Module, patch: Tensor, reduced: bool) -> tuple[float, float]:
    def forward() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=reduced):
            output: Tensor = network(patch)
        return output

    def both() -> None:
        forward().float().square().mean().backward()
        network.zero_grad(set_to_none=True)

    with torch.no_grad():
        forward_seconds = seconds(forward)
    return forward_seconds, seconds(both)


if __name__ == "__main__":
    main()
