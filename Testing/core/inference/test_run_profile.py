from __future__ import annotations

from typing import Any

import pytest

from gsema_core.inference.run_profile import profile


@pytest.fixture
def report() -> dict[str, Any]:
    seconds = {"read": 1.0, "windows": 6.0, "network": 5.0, "write": 0.5}
    origin = {key: {} for key in ("program", "teacher", "device", "geometry")}
    return {"seconds": seconds, "windows": {"run": 3}, **origin}


def test_the_parts_add_up_to_the_whole(report: dict[str, Any]) -> None:
    told = profile(report, 10.0)
    seconds = {part["part"]: part["seconds"] for part in told["parts"]}
    assert seconds == {"read": 1.0, "network": 5.0, "blend": 1.0, "write": 0.5, "other": 2.5}
    assert [part["share"] for part in told["parts"]] == [0.1, 0.5, 0.1, 0.05, 0.25]
    assert told["windows"] == {"run": 3}


def test_rounding_makes_nothing_negative(report: dict[str, Any]) -> None:
    report["seconds"]["network"] = 6.0004
    told = profile(report, 7.4)
    assert min(part["seconds"] for part in told["parts"]) == 0.0
