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
from gsema_core.datasets import VolumeCache
from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.patches import PatchSampler
from gsema_core.intensities import IntensityRule
from gsema_core.networks import SegmentationNetwork

PATCHES = 4
"""Of each case: enough dots to see groups, few enough for seconds. Ours."""
ROWS_DRAWN = ("ema", "gs_ema", "gs_ema_bacl")


def draw_latents(plan: Plan, cells: list[Cell]) -> Figure | None:
    """t-SNE of the teachers' mean latents of the same patches, colored by center.

    The number above a panel is the silhouette of the centers in the latents themselves (1: well
    apart, 0: mixed), which does not depend on t-SNE.

    Returns:
        None where none of ``ROWS_DRAWN`` is finished.
    """
    wanted = [cell for row in ROWS_DRAWN for cell in cells if cell.row == row]
    if not wanted:
        return None
    first = wanted[0]
    wanted = [c for c in wanted if (c.center, c.seed) == (first.center, first.seed)]
    patches, centers = _patches(plan)
    figure = new_figure(4.2 * len(wanted), 4.4)
    for panel, cell in zip(figure.subplots(1, len(wanted), squeeze=False)[0], wanted, strict=True):
        teacher = load_cell(plan, cell)
        latents = _latents(teacher.network, patches)
        points, silhouette = _tsne(latents), silhouette_score(latents, centers)
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
            title=f"{plan.method(cell.row).title}, silhouette {silhouette:.3f}",
            xticks=[],
            yticks=[],
        )
        panel.legend(fontsize="small")
    figure.suptitle(f"t-SNE of latents by center ({image_kind(plan)})")
    return figure


def _patches(plan: Plan) -> tuple[list[npt.NDArray[np.float32]], list[str]]:
    """Patches near aneurysms of all cases, in the orientation that they were scanned in."""
    data = plan.base.data
    rule = IntensityRule(data.low_percentile, data.high_percentile)
    cache = VolumeCache(plan.output / "cache", data.spacing_mm, rule)
    sampler = PatchSampler(data.patch, aneurysm_share=1.0, random_orientation=False)
    random = np.random.default_rng(0)
    volumes: Sequence[CachedVolume] = [cache.load(case) for case in plan.cases]
    drawn = [(sampler.draw(each, random)[0], each.case.center)
             for each in volumes for _ in range(PATCHES)]  # fmt: skip
    return [patch for patch, _ in drawn], [center for _, center in drawn]


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
