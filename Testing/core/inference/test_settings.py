from __future__ import annotations

from typing import Any

import pytest

from gsema_core.errors import UserError
from gsema_core.inference import SegmentationSettings


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"overlap": -0.1}, "overlap is -0.1"),
        ({"overlap": 1.0}, "overlap is 1"),
        ({"overlap": float("nan")}, "overlap is nan"),
        ({"minimum_aneurysm_mm3": -1.0}, "minimum_aneurysm_mm3 is -1"),
        ({"minimum_vessel_mm3": float("inf")}, "minimum_vessel_mm3 is inf"),
        ({"aneurysm_threshold": 0.0}, "threshold is 0.0:"),
        ({"aneurysm_threshold": 1.0}, "threshold is 1.0:"),
        ({"aneurysm_threshold": float("nan")}, "threshold is nan"),
        ({"precision": "fp8"}, "fp8"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_values_out_of_range_are_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        SegmentationSettings(**changes)


def test_settings_survive_a_report() -> None:
    settings = SegmentationSettings(overlap=0.25, threads=2, aneurysm_threshold=0.3)
    assert SegmentationSettings(**settings.to_dict()) == settings


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_certainty_is_a_probability(value: float) -> None:
    with pytest.raises(UserError, match="minimum_certainty"):
        SegmentationSettings(minimum_certainty=value)
