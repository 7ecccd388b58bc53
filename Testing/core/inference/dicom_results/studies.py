"""DICOM series of every form, with labels on them, and what the standard says of results."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsema_core.grids import Volume
from gsema_core.inference import SegmentationResult
from gsema_core.measurements import measure_aneurysms

sys.path.insert(0, str(Path(__file__).parents[2] / "files" / "dicom"))
import forms

MODULES = [importlib.import_module(f"test_{kind}_forms") for kind in ("object", "stack", "series")]
sys.path.pop(0)

FORMS: dict[str, forms.Build] = {
    f"{module.__name__}, {name}": build
    for module in MODULES
    for name, build in module.FORMS.items()
}
STUDY = {
    "StudyDate": "20240229", "StudyTime": "101112.5", "StudyID": "S1", "AccessionNumber": "A1",
    "StudyDescription": "Kopf", "ReferringPhysicianName": "Ref^Doc", "PatientSex": "F",
    "FrameOfReferenceUID": "1.2.3.77", "PositionReferenceIndicator": "",
}  # fmt: skip
"""What the forms leave out, as scanners do not."""


def report() -> dict[str, Any]:
    """As a run gives it."""
    return {
        "program": {"name": "gsema_core", "version": "0.1.0"},
        "teacher": {"name": "default", "sha256": "0123456789abcdef" * 4},
        "series": {"number": 5},
        "notes": [],
        "seconds": {},
    }


def drawn(scan: Volume) -> Volume:
    """Labels that are different along every axis: a vessel, an aneurysm on it, one at the end."""
    labels = np.zeros(scan.array.shape, np.uint8)
    rows = labels.shape[1]
    labels[:-1, rows // 2 - 1 : rows // 2 + 1, 2:4] = 1
    labels[2:5, rows // 2 - 1 : rows // 2 + 2, 4:7] = 2
    labels[-1, 0, -2:] = 2
    return Volume(labels, scan.geometry)


def result_of(scan: Volume, **changes: Any) -> SegmentationResult:
    """What a run on a scan could give."""
    labels = drawn(scan)
    source = getattr(scan, "source", None)
    first, *others = measure_aneurysms(labels)
    aneurysms = [replace(first, certainty=0.875), *others]
    return SegmentationResult(labels, None, aneurysms, {**report(), **changes}, source)


def standard_errors(path: Path) -> list[str]:
    """What dciodvfy of dicom3tools finds wrong with a file."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy of dicom3tools is not installed")
    run = subprocess.run(
        ["dciodvfy", path], capture_output=True, encoding="utf-8", errors="replace"
    )
    return [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")]
