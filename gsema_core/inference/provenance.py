"""Where a result comes from, as plain values for JSON."""

from __future__ import annotations

from typing import Any

import torch

from gsema_core.grids import Geometry
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.machine import Computing
from gsema_core.teachers import Teacher
from gsema_core.version import __version__


def provenance(
    teacher: Teacher, computing: Computing, settings: SegmentationSettings, geometry: Geometry
) -> dict[str, Any]:
    """Everything that decides over a result, apart from the scan's voxels."""
    return {
        "program": {"name": "gsema_core", "version": __version__, "torch": torch.__version__},
        "teacher": {
            "name": teacher.card.name,
            "sha256": teacher.sha256,
            "license": teacher.card.license,
            "program_version": teacher.card.program_version,
        },
        "device": computing.describe(),
        "settings": settings.to_dict(),
        "geometry": {
            **describe_geometry(geometry),
            "working_spacing_mm": teacher.card.spacing_mm,
        },
    }


def describe_geometry(geometry: Geometry) -> dict[str, Any]:
    """A grid as plain values for JSON."""
    return {
        "size": list(geometry.size),
        "spacing_mm": list(geometry.spacing),
        "origin_lps_mm": list(geometry.origin),
        "direction": list(geometry.direction),
    }
