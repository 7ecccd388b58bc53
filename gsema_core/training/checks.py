"""What the values of a training configuration may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gsema_core.errors import UserError
from gsema_core.teachers.card import LICENSE_LENGTH, is_plain_name

if TYPE_CHECKING:
    from gsema_core.training.config import TrainingConfig

DEEPEST_EDGE = 4
"""The fewest voxels along an edge of a patch's deepest map: measured with PyTorch 2.13 on CPUs,
bfloat16 convolutions of 2 x 2 x 2 maps read memory that nobody wrote and return nan gradients."""

RANGES: dict[str, tuple[float, float]] = {
    "method.alpha_aligned": (0, 1),
    "method.alpha_conflict": (0, 1),
    "method.supervised_weight": (0, 100),
    "method.contrastive_weight": (0, 100),
    "method.boundary_cutoff": (0, 0.5),
    "method.temperature": (1e-3, 100),
    "method.consistency_weight": (0, 100),
    "data.validation_share": (0, 0.9),
    "data.spacing_mm": (0.1, 2),
    "data.aneurysm_share": (0, 1),
    "data.low_percentile": (0, 50),
    "data.high_percentile": (50, 100),
    "data.workers": (0, 64),
    "data.replay_share": (0, 1),
    "data.replay_cases": (1, 1000),
    "optimization.learning_rate": (0, 1),
    "optimization.warmup_steps": (0, 10**9),
    "optimization.weight_decay": (0, 1),
    "optimization.clip_norm": (0, 1e6),
    "optimization.dice_smoothing": (1e-8, 1e6),
    "run.steps": (1, 10**9),
    "run.minutes": (0, 10**6),
    "run.patience": (0, 10**6),
    "run.batch_size": (1, 1024),
    "run.seed": (0, 2**32 - 1),
    "run.accumulate": (1, 1024),
    "run.threads": (0, 1024),
    "run.log_every": (1, 10**9),
    "run.validate_every": (1, 10**9),
    "run.checkpoint_every": (1, 10**9),
}

CHOICES = {
    "method.similarity": ("cosine", "sign_cosine"),
    "optimization.optimizer": ("adamw", "adam"),
    "optimization.schedule": ("cosine", "constant", "step"),
    "run.precision": ("auto", "bf16", "fp16", "fp32"),
}


def check_values(config: TrainingConfig) -> None:
    """Refuse what would fail, or mean nothing, hours later.

    Raises:
        UserError: a value is out of its range or unknown, or values do not fit each other.
    """
    for path, (low, high) in RANGES.items():
        section, name = path.split(".")
        value = getattr(getattr(config, section), name)
        if not low <= value <= high:
            raise UserError(
                f"Setting {name} in [{section}] is {value}: give a value from {low} to {high}."
            )
    for path, choices in CHOICES.items():
        section, name = path.split(".")
        value = getattr(getattr(config, section), name)
        if value not in choices:
            raise UserError(
                f"Setting {name} in [{section}] is {value!r}: use one of {', '.join(choices)}."
            )
    if not is_plain_name(config.run.name):
        raise UserError(
            f"Setting name in [run] is {config.run.name!r}: use up to 80 letters, digits, spaces "
            "and . _ + - ( )."
        )
    if len(config.run.license) > LICENSE_LENGTH:
        raise UserError(
            f"Setting license in [run] has {len(config.run.license)} characters: give its name, "
            f"of at most {LICENSE_LENGTH}."
        )
    multiple = config.network.multiple
    least = DEEPEST_EDGE * multiple
    if any(size % multiple or not least <= size <= 256 for size in config.data.patch):
        raise UserError(
            f"Patch {list(config.data.patch)} does not fit the network: each size must be a "
            f"multiple of {multiple} from {least} to 256."
        )
    if len(config.optimization.class_weights) not in (0, 3):
        raise UserError(
            f"Setting class_weights in [optimization] has "
            f"{len(config.optimization.class_weights)} values: give three, or none."
        )
