"""The sections of a training's configuration: what each setting does, its range and its source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from gsema_core.clicks.kinds import KINDS
from gsema_core.configuration import check, setting
from gsema_core.inference.settings import SegmentationSettings

PAPER, PYTORCH = "the paper", "PyTorch"


class _Section:
    """Checked when made."""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class MethodConfig(_Section):
    """GS-EMA and BACL."""

    place: ClassVar[str] = "in [method]"

    alpha_aligned: float = setting(
        0.9, "EMA coefficient where the domains' gradients agree.", low=0, high=1, source=PAPER
    )
    alpha_conflict: float = setting(
        1.0,
        "EMA coefficient where they conflict; 1 leaves the teacher as it is.",
        low=0,
        high=1,
        source=PAPER,
    )
    similarity: str = setting(
        "cosine",
        "How the two domains' gradients are compared.",
        choices=("cosine", "sign_cosine"),
        source=PAPER,
    )
    gate_scope: str = setting(
        "all",
        "Which gradients the gate compares: those of all weights, or only those of the decoder. "
        "Then a step costs less, and the gate sometimes decides differently.",
        choices=("all", "decoder"),
        source=PAPER,
    )
    gate_unit: str = setting(
        "network",
        "What follows by one decision: the whole teacher, as in the paper; or, ours, each layer or "
        "each weight, where its own gradients agree.",
        choices=("network", "layer", "weight"),
        source=PAPER,
    )
    conflict_projection: str = setting(
        "none",
        "In the student's step, take from each domain's gradient what conflicts with the other's: "
        "in the whole (network), in each layer, or in each weight. Not the paper's.",
        choices=("none", "network", "layer", "weight"),
        source="Yu 2020 (arXiv:2001.06782); by weight Mansilla 2021 (arXiv:2108.01621)",
    )
    alpha_warmup: bool = setting(True, "Average less in the first steps of a run from scratch.")
    conflict_warmup: bool = setting(
        False,
        "Use the warm-up in steps in conflict too: for methods without a gate, and as the authors' "
        "published training does.",
    )
    supervised_weight: float = setting(
        0.25, "Weight of the segmentation losses (lambda 1).", low=0, high=100, source=PAPER
    )
    contrastive_weight: float = setting(
        0.5, "Weight of the contrastive losses (lambda 2).", low=0, high=100, source=PAPER
    )
    volume_contrast: bool = setting(True, "Contrast whole latents (BACL-V).", source=PAPER)
    boundary_contrast: bool = setting(
        True, "Contrast the latents' boundaries (BACL-B).", source=PAPER
    )
    boundary_cutoff: float = setting(
        0.25,
        "Frequencies below this share of the axis are removed for boundaries.",
        low=0,
        high=0.5,
    )
    boundary_magnitude: bool = setting(
        False, "Use magnitudes of boundary maps, as the authors' published training does."
    )
    temperature: float = setting(
        1.0, "Temperature of the contrastive loss; the paper has none.", low=1e-3, high=100
    )
    consistency_weight: float = setting(
        0.0,
        "Weight of the agreement of predictions on two random views of a patch (CMDG's).",
        low=0,
        high=100,
        source=PAPER,
    )
    transform: tuple[str, ...] = setting(
        ("paper",),
        "Transforms from source to target patches, in order; `package.module:Name` is one of your "
        "own.",
        source=PAPER,
    )
    click_share: float = setting(
        0.5,
        "Share of patches that a simulated user clicks, for a network with click_width_mm.",
        low=0.01,
        high=1,
    )
    click_kinds: tuple[str, ...] = setting(
        KINDS,
        "Where first clicks lie, drawn from this list: anywhere in the sac, at its middle, near "
        "its wall, or up to 2 mm beside it.",
        choices=KINDS,
    )
    further_clicks: int = setting(
        4,
        "The most clicks after the first, each where the teacher's present answer errs most.",
        low=0,
        high=20,
    )
    further_click_share: float = setting(
        0.5, "Probability that each of them is made, if the one before was.", low=0, high=1
    )
    segmentation_loss: str = setting(
        "dice_ce",
        "The segmentation loss: Dice with cross-entropy, or `package.module:Name`.",
        low=1,
        high=200,
        source=PAPER,
    )


@dataclass(frozen=True)
class DataConfig(_Section):
    """What is trained on."""

    place: ClassVar[str] = "in [data]"

    datalist: Path = setting(
        Path(), "JSON file that lists image, label, patient and center; or a folder of cases."
    )
    centers: tuple[str, ...] = setting((), "Centers to train on; empty means all of the list.")
    description: str = setting("", "What the scans are, for the teacher's card; no names.")
    accept_labels: bool = setting(
        False,
        "Train although the labels look wrong: exchanged, without vessels, or of other scans; "
        "`gsema train --yes` sets it.",
    )
    validation_share: float = setting(
        0.12, "Share of each center's patients kept out for choosing the teacher.", low=0, high=0.9
    )
    spacing_mm: float = setting(
        0.5, "Working voxel size, isotropic.", title="Spacing", unit="mm", low=0.1, high=2
    )
    patch: tuple[int, int, int] = setting(
        (96, 96, 96), "Patch size; it is the window's size too.", unit="voxels", low=8, high=256
    )
    aneurysm_share: float = setting(
        0.7, "Share of patches that are centered near an aneurysm.", low=0, high=1
    )
    low_percentile: float = setting(
        1.0, "Intensities below this percentile become 0.", unit="%", low=0, high=50
    )
    high_percentile: float = setting(
        99.99,
        "Intensities above this percentile become 1.",
        unit="%",
        low=50,
        high=100,
        source="docs/explanation/teacher_notebook.md",
    )
    random_orientation: bool = setting(
        True, "Flip and permute the axes of source patches, so that orientation does not matter."
    )
    cache: Path = setting(
        Path(), "Folder of prepared cases, may be shared by runs; empty: in the run's output."
    )
    workers: int = setting(
        1, "Processes that prepare patches; 0 prepares them in line.", low=0, high=64
    )
    replay_share: float = setting(
        0.0, "Share of patches from phantoms, so that less is forgotten; 0 for none.", low=0, high=1
    )
    replay_cases: int = setting(
        8, "Phantoms with random scanners that are replayed.", low=1, high=1000
    )


@dataclass(frozen=True)
class OptimizationConfig(_Section):
    """How the student learns."""

    place: ClassVar[str] = "in [optimization]"

    optimizer: str = setting("adamw", "The optimizer.", choices=("adamw", "adam"))
    learning_rate: float = setting(
        3e-4, "Highest learning rate; the paper's is 1e-3.", low=0, high=1
    )
    schedule: str = setting(
        "cosine",
        "Course of the learning rate; step divides it by 10 every tenth of the run, as the paper; "
        "late_fall is constant and falls to zero over the last decay_share of the run.",
        choices=("cosine", "constant", "step", "late_fall"),
    )
    decay_share: float = setting(
        0.2,
        "Share of the run, at its end, in which the schedule late_fall falls; others ignore it.",
        low=0.01,
        high=1,
        source="Hägele 2024 (arXiv:2405.18392): 20 % of a run do what a cosine does",
    )
    warmup_steps: int = setting(
        100, "Steps of linear warm-up of the learning rate.", low=0, high=1e9
    )
    weight_decay: float = setting(
        1e-2, "Decoupled weight decay of adamw.", low=0, high=1, source=PYTORCH
    )
    clip_norm: float = setting(
        12.0, "Gradients longer than this are shortened; 0 is off.", low=0, high=1e6
    )
    class_weights: tuple[float, ...] = setting(
        (),
        "Cross-entropy weights of background, vessel and aneurysm; empty means equal.",
        low=0,
        high=1e6,
        source=PAPER,
    )
    dice_smoothing: float = setting(
        1e-5,
        "Voxels added to the numerator and denominator of Dice. More of them punish false "
        "aneurysms in patches without one, but hide small aneurysms from a young network.",
        unit="voxels",
        low=1e-8,
        high=1e6,
        source="MONAI",
    )


@dataclass(frozen=True)
class RunConfig(_Section):
    """How long, where and how often something is written."""

    place: ClassVar[str] = "in [run]"

    output: Path = setting(Path(), "Folder for checkpoints, logs and the teacher.")
    name: str = setting("local", "Name of the teacher that comes out.")
    license: str = setting("unstated", "License of the teacher that comes out.", high=200)
    initial_teacher: str = setting("", "Teacher to start from: a name or file; empty: scratch.")
    steps: int = setting(5000, "Optimizer steps.", low=1, high=1e9)
    minutes: float = setting(
        0.0,
        "Time for training steps; the run ends with its steps or this; 0 is no limit.",
        unit="min",
        low=0,
        high=1e6,
    )
    patience: int = setting(
        0,
        "Validations in a row without a better teacher that end the run; 0 never ends it.",
        low=0,
        high=1e6,
    )
    batch_size: int = setting(
        1, "Source patches a step; each gets one target patch.", low=1, high=1024
    )
    accumulate: int = setting(
        1, "Batches whose gradients are added before a step.", low=1, high=1024
    )
    seed: int = setting(0, "Seed of weights, patches and transforms.", low=0, high=2**32 - 1)
    device: str = setting("auto", "auto, cpu, cuda or cuda:N.")
    precision: str = setting(
        "auto",
        "Number format of the networks; auto takes bf16 where the device has it, else fp32; fp16 "
        "scales the loss.",
        choices=("auto", "bf16", "fp16", "fp32"),
        source="docs/explanation/performance.md",
    )
    threads: int = setting(
        0,
        "CPU threads; 0 is one for each core that the run may use, shared among its processes.",
        low=0,
        high=1024,
    )
    log_every: int = setting(20, "Steps between lines of metrics.csv.", low=1, high=1e9)
    progress_s: float = setting(
        10.0,
        "Seconds between lines of progress; 0 gives one a step.",
        unit="s",
        low=0,
        high=1e6,
        source="ours: attention lasts about as long (Nielsen 1993), and a day's log has 1 MB",
    )
    validate_every: int = setting(500, "Steps between validations.", low=1, high=1e9)
    validation_certainty: float = setting(
        SegmentationSettings.minimum_certainty,
        "In validations, an aneurysm with a lower mean probability is taken for vessel.",
        low=0,
        high=1,
        source="as a segmentation has it",
    )
    validation_walls: bool = setting(
        SegmentationSettings.walls_by_scan,
        "A validation lets the case's voxels on the working grid draw the walls.",
        source="as a segmentation has it",
    )
    pictures: int = setting(
        4, "Validation cases that are drawn at each validation; 0 draws none.", low=0, high=100
    )
    checkpoint_every: int = setting(
        250,
        "Steps between checkpoints; there is one every five minutes anyway.",
        low=1,
        high=1e9,
    )
