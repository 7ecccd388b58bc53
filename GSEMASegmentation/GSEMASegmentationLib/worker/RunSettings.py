"""What the worker is told of a segmentation or a click besides the volume."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gsema_core.configuration import build
from gsema_core.inference import settings as segmentation


@dataclass(frozen=True)
class RunSettings:
    """Checked when made, before anything is exported.

    Attributes:
        teacher: "default", the name of an imported teacher, or a teacher file.
        device: "auto", "cpu", "cuda" or "cuda:N".
        values: fields of ``SegmentationSettings`` (docs/reference/settings.md); the others have
            their defaults.
        keepProbability: whether the aneurysm's probability becomes a volume of the scene.

    Raises:
        UserError: a setting is unknown or out of its range.
    """

    teacher: str = "default"
    device: str = "auto"
    values: Mapping[str, Any] = field(default_factory=dict)
    keepProbability: bool = False

    def __post_init__(self) -> None:
        build(segmentation.SegmentationSettings, self.values)

    @classmethod
    def fromNames(cls, teacher: str, device: str, **names: Any) -> RunSettings:
        """With settings by their names, or as the console has them: ``minimumVesselMm3=20``."""
        return cls(teacher, device, {_snakeCase(name): value for name, value in names.items()})

    def toRequest(self) -> dict[str, Any]:
        """The fields of the worker's request."""
        return {"teacher": self.teacher, "device": self.device, "settings": dict(self.values)}


def _snakeCase(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()
