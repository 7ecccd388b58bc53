"""Latents of patches of all centers, drawn in two dimensions (the paper's Fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score

from gsema_core.benchmark.figures.canvas import image_kind, new_figure
from gsema_core.benchmark.plan import Cell, Plan
from gsema_core.benchmark.prediction import load_cell
from gsema_core.benchmark.table_text import with_interval
from gsema_core.datasets import VolumeCache
from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.patches import PatchSampler
from gsema_core.evaluation.patients import patient_numbers
from gsema_core.evaluation.statistics import Summary, summarize
from gsema_core.intensities import IntensityRule
from gsema_core.networks import SegmentationNetwork

PATCHES = 4
"""Of each case: enough dots to see groups, few enough for seconds. Ours."""
NEIGHBORS = 15
"""Of a patch: about the square root of the number of patches, as is usual. Ours."""
ROWS_DRAWN = ("ema", "gs_ema", "gs_ema_bacl")


def draw_latents(plan: Plan, cells: list[Cell]) -> Figure | None:
    """t-SNE of the teachers' mean latents of the same patches, colored by center.

    The numbers above a panel are of the latents themselves and do not depend on t-SNE: the
    silhouette of the centers (1: well apart, 0: mixed), and how often a patch's center is told by
    the nearest patches of other patients (`center_told`; the less, the more the domains overlap).

    Returns:
        None where none of ``ROWS_DRAWN`` is finished.
    """
    wanted = [cell for row in ROWS_DRAWN for cell in cells if cell.row == row]
    if not wanted:
        return None
    first = wanted[0]
    wanted = [c for c in wanted if (c.center, c.seed) == (first.center, first.seed)]
    patches, centers, patients = _patches(plan)
    figure = new_figure(4.2 * len(wanted), 4.7)
    for panel, cell in zip(figure.subplots(1, len(wanted), squeeze=False)[0], wanted, strict=True):
        teacher = load_cell(plan, cell)
        latents = _latents(teacher.network, patches)
        points, silhouette = _tsne(latents), silhouette_score(latents, centers)
        told, chance = center_told(latents, centers, patients)
        for center in sorted(set(centers)):
            own = np.array([each == center for each in centers])
            unseen = center == cell.center
            panel.scatter(
                *points[own].T,
                s=26 if unseen else 12,
                marker="x" if unseen else "o",
                label=f"{center} (unseen)" if unseen else center,
            )
        panel.set(
            title=f"{plan.method(cell.row).title}, silhouette {silhouette:.3f}\n"
            f"center told {with_interval(told.mean, (told.interval_low, told.interval_high))}, "
            f"by chance {chance:.3f}",
            xticks=[],
            yticks=[],
        )
        panel.title.set_fontsize("medium")
        panel.legend(fontsize="small")
    figure.suptitle(f"t-SNE of latents by center ({image_kind(plan)})")
    return figure


def center_told(
    latents: npt.NDArray[np.float32], centers: Sequence[str], patients: Sequence[int]
) -> tuple[Summary, float]:
    """How often a patch's center is that of most of its nearest patches of other patients.

    Latents are scaled to one spread in each channel, as no channel's unit means anything. Patches
    of the same patient are left out: their anatomy is alike, which is not the scanner's doing.

    Args:
        latents: (N, C).
        centers: (N,) the domain of each patch.
        patients: (N,) whose it is.

    Returns:
        The share with its 95 % interval over patients, every center counting alike; and that
        share for guesses, 1 over the number of centers.
    """
    scaled = (latents - latents.mean(axis=0)) / np.maximum(latents.std(axis=0), 1e-12)
    squares = (scaled**2).sum(axis=1)
    apart = squares[:, None] + squares[None] - 2 * scaled @ scaled.T
    who = np.asarray(patients)
    apart[who[:, None] == who[None]] = np.inf
    names, numbers = np.unique(np.asarray(centers), return_inverse=True)
    near = np.argsort(apart, axis=1, kind="stable")[:, :NEIGHBORS]
    weights = 1 / np.bincount(numbers)  # centers with more patches are not nearer
    votes = np.stack([(numbers[near] == n).sum(axis=1) * weights[n] for n in range(len(names))])
    right = (votes.argmax(axis=0) == numbers).astype(np.float64)
    balanced = right * weights[numbers] * len(right) / len(names)
    return summarize(balanced, list(patients)), 1 / len(names)


def _patches(plan: Plan) -> tuple[list[npt.NDArray[np.float32]], list[str], list[int]]:
    """Patches near aneurysms of all cases, in the orientation that they were scanned in."""
    data = plan.base.data
    rule = IntensityRule(data.low_percentile, data.high_percentile)
    cache = VolumeCache(plan.output / "cache", data.spacing_mm, rule)
    sampler = PatchSampler(data.patch, aneurysm_share=1.0, random_orientation=False)
    random = np.random.default_rng(0)
    volumes: Sequence[CachedVolume] = [cache.load(case) for case in plan.cases]
    patients = patient_numbers(plan.cases)
    drawn = [(sampler.draw(each, random)[0], each.case.center, patient)
             for each, patient in zip(volumes, patients, strict=True)
             for _ in range(PATCHES)]  # fmt: skip
    patches, centers, whose = zip(*drawn, strict=True)
    return list(patches), list(centers), list(whose)


def _latents(
    network: SegmentationNetwork, patches: Sequence[npt.NDArray[np.float32]]
) -> npt.NDArray[np.float32]:
    """(N, C), every latent's mean over space."""
    network.eval()
    with torch.no_grad():
        means = [
            network.encode(torch.from_numpy(patch)[None, None]).latent.float().mean(dim=(2, 3, 4))
            for patch in patches
        ]
    return np.asarray(torch.cat(means).numpy())


def _tsne(latents: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    perplexity = min(30.0, (len(latents) - 1) / 3)  # scikit-learn's default, or what fits
    points = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(latents)
    return np.asarray(points)
