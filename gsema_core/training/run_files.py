"""What lies in a run's folder under which name, for the training and for who looks on. No torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gsema_core.training.lock import LOCK as LOCK
from gsema_core.training.status import STATUS as STATUS

CHECKPOINT = "checkpoint.pt"
TEACHER = "teacher.safetensors"
CONFIG = "config.toml"
"""All settings as used."""
DATALIST = "datalist.json"
"""The cases as used."""
LOG = "train.log"
"""What the run printed, with times."""
ERRORS = "errors.log"
"""Tracebacks of unexpected errors; usually there is none."""
METRICS = "metrics.csv"
"""See `metrics_table`."""
CURVES = "curves.png"
PICTURES = "pictures"
"""Folder of a picture for each shown case of each validation."""
BOARD = "tensorboard"
REPLAY = "replay"
"""Folder of the simulated cases, with a datalist of their own."""
PAUSE = "pause"
"""While this file is there, the run waits between two steps."""
STOP = "stop"
"""When this file appears, the run writes its checkpoint and ends."""

WARNING = "Warning: "
"""How a line of its log begins that the user should read."""


RECORD_MARK = "# Written by the training"
"""How a ``config.toml`` begins that a run may write anew: its own, and the panel's."""


def record_head(notes: Sequence[str] = ()) -> str:
    """The comments at the top of such a file.

    Args:
        notes: a line each.
    """
    lines = [f"{RECORD_MARK}: all settings of this run. Each start writes the file anew.", *notes]
    plain = ["".join(each if each.isprintable() else "?" for each in line) for line in lines]
    return "\n# ".join(plain) + "\n\n"


_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")
"""How a line of the log begins that has a time."""


_PICTURE = re.compile(r"step-(\d+)-case-(\d+)\.png", re.ASCII)


def timeless(line: str) -> str:
    """A line of the log without its time."""
    return _TIME.sub("", line, count=1) if _TIME.match(line) else line


def picture(folder: Path, step: int, number: int) -> Path:
    """The picture of a case, by its number in the datalist, at the validation after a step."""
    return folder / PICTURES / f"step-{step:07d}-case-{number}.png"


def pictures(folder: Path) -> dict[int, dict[int, Path]]:
    """Step to number of the case to picture, for all that are there, in order."""
    names = ((path, _PICTURE.fullmatch(path.name)) for path in (folder / PICTURES).glob("*.png"))
    found: dict[int, dict[int, Path]] = {}
    for step, number, path in sorted((int(n[1]), int(n[2]), path) for path, n in names if n):
        found.setdefault(step, {})[number] = path
    return found
