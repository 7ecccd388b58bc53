"""What a teacher file says about itself. No torch here: panels list teachers with it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from gsema_core import __version__
from gsema_core.errors import UserError
from gsema_core.intensities.scaling import IntensityRule
from gsema_core.labels import NAMES
from gsema_core.networks.network_config import NetworkConfig

FORMAT_VERSION = 1

# Bounds of what makes sense for cerebral angiography; ours. They keep a broken or hostile file
# from asking for terabytes.
WINDOW_VOXELS = (16, 256)
WINDOW_CHANNELS = 2**28
"""Voxels of a window times the network's features: 3 GB of memory for one window (at the 150 bytes
a voxel that 16 features take, measured in ``inference.memory_estimate``)."""
SPACING_MM = (0.1, 2.0)
LICENSE_LENGTH = 200
_PLAIN_NAME = re.compile(r"\w[\w .+()-]{0,79}")


@dataclass(frozen=True)
class TeacherCard:
    """The metadata of a teacher, checked when it is made.

    Attributes:
        name: what lists show and ``--teacher`` takes; plain characters, it becomes a file name.
        network: ``NetworkConfig.to_dict()``.
        spacing_mm: edge of the cubic voxels that the network works on.
        window: size (k, j, i) in voxels of the windows that it sees.
        intensity: ``IntensityRule.to_dict()``.
        labels: what the label values mean; always those of ``gsema_core.labels``.
        training: on what and how it was trained (free form: data, steps, minutes, preset...).
        metrics: its scores (free form).
        license: under which license it may be used.
        program_version: version of this program that made it.
        format_version: version of this file format.

    Raises:
        UserError: a value is not of its type or outside its sane range.
    """

    name: str
    network: dict[str, Any]
    spacing_mm: float
    window: tuple[int, int, int]
    intensity: dict[str, Any]
    labels: dict[int, str] = field(default_factory=lambda: dict(NAMES))
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    license: str = "unstated"
    program_version: str = __version__
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        if not is_plain_name(self.name):
            raise UserError(
                f"The name {self.name!r} is not plain: use up to 80 letters, digits, spaces "
                "and . _ + - ( )."
            )
        for key in ("network", "intensity", "training", "metrics"):
            _require(isinstance(getattr(self, key), dict), key, getattr(self, key), "a table")
        for key in ("license", "program_version"):
            text = getattr(self, key)
            short = isinstance(text, str) and len(text) <= LICENSE_LENGTH
            _require(short, key, text, f"a text of at most {LICENSE_LENGTH} characters")
        low, high = SPACING_MM
        _require(
            _is_number(self.spacing_mm) and low <= self.spacing_mm <= high,
            "spacing_mm", self.spacing_mm, f"{low} to {high} mm",
        )  # fmt: skip
        _require(self.labels == NAMES, "labels", self.labels, f"{NAMES}")
        _require(self.format_version == FORMAT_VERSION, "format_version", self.format_version, "1")
        self._check_window(self.network_config().multiple)
        self.intensity_rule()

    def _check_window(self, multiple: int) -> None:
        low, high = WINDOW_VOXELS
        object.__setattr__(self, "window", _as_tuple(self.window))
        _require(
            isinstance(self.window, tuple)
            and len(self.window) == 3
            and all(_is_integer(n) and low <= n <= high and n % multiple == 0 for n in self.window),
            "window", self.window, f"three multiples of {multiple} from {low} to {high}",
        )  # fmt: skip
        most = WINDOW_CHANNELS // self.network_config().features
        _require(
            math.prod(self.window) <= most,
            "window", self.window, f"of at most {most} voxels for a network of this size",
        )  # fmt: skip

    def network_config(self) -> NetworkConfig:
        """The network that the weights belong to."""
        try:
            return NetworkConfig.from_dict(self.network)
        except TypeError:  # a key that is no text
            raise UserError(f"The network {self.network!r} is not described properly.") from None

    def intensity_rule(self) -> IntensityRule:
        """How intensities become [0, 1] before the network sees them."""
        return IntensityRule.from_dict(self.intensity)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: lists for tuples, text for the label values."""
        labels = {str(value): name for value, name in self.labels.items()}
        return {**asdict(self), "window": list(self.window), "labels": labels}

    def to_json(self) -> str:
        """One text for one content: the file's hash depends on it."""
        return json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TeacherCard:
        """Read what ``to_dict`` gave, strictly.

        Raises:
            UserError: made by a newer version, a key is missing or unknown, a value is absurd.
        """
        if not isinstance(values, Mapping):
            raise UserError("The metadata is not a table of names and values.")
        version = values.get("format_version")
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise UserError(
                f"It was made by a newer version of this program (file format {version}, this "
                f"one reads up to {FORMAT_VERSION}): update this program."
            )
        known = {one.name: one for one in fields(cls)}
        needed = {
            name for name, one in known.items()
            if one.default is MISSING and one.default_factory is MISSING
        } | {"format_version", "labels"}  # fmt: skip
        for problem, names in (("unknown", set(values) - set(known)),
                               ("missing", needed - set(values))):  # fmt: skip
            if names:
                raise UserError(f"In the metadata, {sorted(names)[0][:80]!r} is {problem}.")
        return cls(**{**values, "labels": _label_values(values["labels"])})


def is_plain_name(name: Any) -> bool:
    """Whether ``name`` may become a file name: no path parts, no control characters."""
    return isinstance(name, str) and _PLAIN_NAME.fullmatch(name) is not None


def _require(condition: bool, key: str, value: Any, expected: str) -> None:
    if not condition:
        raise UserError(f"The card's {key} is {repr(value)[:80]}: it must be {expected}.")


def _label_values(labels: Any) -> Any:
    if not isinstance(labels, dict):
        return labels
    return {int(key) if str(key) in {"1", "2"} else key: name for key, name in labels.items()}


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
