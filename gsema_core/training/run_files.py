"""What lies in a run's folder under which name, for the training and for who looks on. No torch."""

from __future__ import annotations

from pathlib import Path

from gsema_core.training.lock import LOCK as LOCK
from gsema_core.training.status import STATUS as STATUS

CHECKPOINT = "checkpoint.pt"
TEACHER = "teacher.safetensors"
STEPS = "steps.csv"
VALIDATION = "validation.csv"
THUMBNAILS = "thumbnails"
"""Folder of a picture for each validation."""
REPLAY = "replay"
"""Folder of the simulated cases, with a datalist of their own."""
PAUSE = "pause"
"""While this file is there, the run waits between two steps."""
STOP = "stop"
"""When this file appears, the run writes its checkpoint and ends."""

WARNING = "Warning: "
"""How a line of its log begins that the user should read."""


def thumbnail(folder: Path, step: int) -> Path:
    """The picture of the validation after a step."""
    return folder / THUMBNAILS / f"step-{step:07d}.png"


def thumbnails(folder: Path) -> dict[int, Path]:
    """Step to picture, for all that are there, the first step first."""
    paths = sorted((folder / THUMBNAILS).glob("step-*.png"))
    steps = {path.stem.removeprefix("step-"): path for path in paths}
    return {int(step): path for step, path in steps.items() if step.isascii() and step.isdigit()}
