"""Records of scans that have everything, for pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gsema_core.grids import Volume
from gsema_core.inference.folders.overview.pictures import draw_pictures, shown
from gsema_core.inference.folders.overview.scan_record import ScanRecord
from gsema_core.inference.provenance import describe_geometry
from gsema_core.measurements import measure_aneurysms, measurements_report


@pytest.fixture(scope="session")
def report(truth: Volume) -> dict[str, Any]:
    (aneurysm,) = measure_aneurysms(truth)
    told = measurements_report([aneurysm.with_certainty(0.93)])
    told["aneurysms"][0]["centroid_ras"] = (-6.0, 0.5, 2.0)
    return {
        **told,
        "notes": [],
        "teacher": {"name": "tiny", "sha256": "0123456789abcdef"},
        "program": {"name": "gsema_core", "version": "9.8.7"},
        "geometry": describe_geometry(truth.geometry),
        "seconds": {"read": 1.0, "prepare": 2.0, "windows": 9.0, "network": 8.0},
        "device": {"name": "cpu"},
    }


@pytest.fixture(scope="session")
def pictures(scan: Volume, truth: Volume) -> list[dict[str, Any]]:
    return draw_pictures(shown(scan), truth, measure_aneurysms(truth))


@pytest.fixture(scope="session")
def record(report: dict[str, Any], pictures: Any) -> Callable[..., ScanRecord]:
    """A record of a scan that is done; a ``notes`` is one of the report's."""

    def make(name: str, *notes: str, **changes: Any) -> ScanRecord:
        values = {"made": "2026-01-02 03:04", "report": {**report, "notes": list(notes)}}
        values |= {"pictures": pictures, "vessel_ml": 1.25}
        return ScanRecord(name, f"{name}.nrrd", **{**values, **changes})

    return make
