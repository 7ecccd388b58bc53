"""What a teacher file says about itself. No torch here: panels list teachers with it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from gsema_core.configuration import build, check, plain, setting
from gsema_core.configuration.building import short
from gsema_core.errors import UserError
from gsema_core.intensities.appearance_ranges import AppearanceRanges
from gsema_core.intensities.scaling import IntensityRule
from gsema_core.labels import NAMES
from gsema_core.networks.network_config import NetworkConfig
from gsema_core.version import __version__

FORMAT_VERSION = 1

WINDOW_CHANNELS = 2**28
"""Voxels of a window times the network's features: 3 GB of memory for one window (at the 150 bytes
a voxel that 16 features take, measured in ``inference.memory_estimate``)."""
_PLAIN_NAME = re.compile(r"\w[\w .+()-]{0,79}")


@dataclass(frozen=True)
class TeacherCard:
    """The metadata of a teacher, checked when it is made.

    Attributes:
        name: the name in lists and for ``--teacher``; plain characters only, as it becomes a file
            name.
        network: ``NetworkConfig.to_dict()``.
        spacing_mm: edge of the cubic voxels that the network works on.
        window: size (k, j, i) in voxels of the windows that it sees.
        intensity: ``IntensityRule.to_dict()``.
        appearance: what the scans of its training looked like; older cards do not say.
        labels: what the label values mean; always those of ``gsema_core.labels``.
        training: how it was trained, and on what data (free form: steps, minutes, preset...).
        metrics: its scores (free form).
        license: the license under which it may be used.
        program_version: the version of this program that made it.
        format_version: version of this file format.

    Raises:
        UserError: a value is not of its type or outside its sane range.
    """

    place: ClassVar[str] = "of the card"

    # The bounds are what makes sense for cerebral angiography; ours. They keep a broken or hostile
    # file from asking for terabytes.
    name: str
    network: dict[str, Any]
    spacing_mm: float = setting(low=0.1, high=2)
    window: tuple[int, int, int] = setting(low=16, high=256)
    intensity: dict[str, Any] = setting()
    labels: dict[int, str] = field(default_factory=lambda: dict(NAMES))
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    appearance: AppearanceRanges | None = None
    license: str = setting("unstated", high=200)
    program_version: str = setting(__version__, high=200)
    format_version: int = setting(FORMAT_VERSION, low=FORMAT_VERSION, high=FORMAT_VERSION)

    def __post_init__(self) -> None:
        check(self)
        if not is_plain_name(self.name):
            raise UserError(
                f"The name {self.name!r} is not plain: use up to 80 letters, digits, spaces "
                "and . _ + - ( )."
            )
        if self.labels != NAMES:
            raise UserError(f"Setting labels of the card is {short(self.labels)}: give {NAMES}.")
        self.intensity_rule()
        network = self.network_config()
        most = WINDOW_CHANNELS // network.features
        if any(n % network.multiple for n in self.window) or math.prod(self.window) > most:
            raise UserError(
                f"Setting window of the card is {list(self.window)}: give multiples of "
                f"{network.multiple}, of at most {most} voxels together, for this network."
            )

    def network_config(self) -> NetworkConfig:
        """The network that the weights belong to."""
        return NetworkConfig.from_dict(self.network)

    def intensity_rule(self) -> IntensityRule:
        """How intensities are scaled to [0, 1] before the network sees them."""
        return IntensityRule.from_dict(self.intensity)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: lists for tuples, text for the label values."""
        return {**plain(self), "labels": {str(key): name for key, name in self.labels.items()}}

    def to_json(self) -> str:
        """The card as JSON; the same card always gives the same text, so that file hashes agree."""
        return json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TeacherCard:
        """Read what ``to_dict`` gave, strictly.

        Raises:
            UserError: made by a newer version, a key is missing or unknown, a value is absurd.
        """
        if not isinstance(values, Mapping):
            raise UserError("The card is not a table of names and values.")
        version = values.get("format_version")
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise UserError(
                f"It was made by a newer version of this program (file format {version}, this "
                f"one reads up to {FORMAT_VERSION}): update this program."
            )
        for name in ("format_version", "labels"):
            if name not in values:
                raise UserError(f"Setting {name} of the card is missing: give it.")
        return build(cls, {**values, "labels": _label_values(values["labels"])})


def is_plain_name(name: Any) -> bool:
    """Whether ``name`` may become a file name: no path parts, no control characters."""
    return isinstance(name, str) and _PLAIN_NAME.fullmatch(name) is not None


def _label_values(labels: Any) -> Any:
    if not isinstance(labels, dict):
        return labels
    return {int(key) if str(key) in {"1", "2"} else key: name for key, name in labels.items()}
