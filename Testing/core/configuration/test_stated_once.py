"""A setting that is added to the dataclass is everywhere, and nothing else was touched."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gsema_core import cli
from gsema_core.configuration import build, setting
from gsema_core.inference import Monitor, settings
from gsema_core.worker.protocol import decode_request
from gsema_core.worker.session import Session


@dataclass(frozen=True)
class Extended(settings.SegmentationSettings):
    brightness: float = setting(2.0, "How bright it must be.", low=1, high=3, group=settings.FINDS)


@pytest.fixture
def extended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SegmentationSettings", Extended)


def test_it_is_an_option_and_in_the_report(
    extended: None, scan_file: Any, teacher_file: Any, tmp_path: Any, capsys: Any
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["segment", "--help"])
    assert "--brightness X" in capsys.readouterr().out
    report = tmp_path / "report.json"
    line = ["segment", scan_file, "-o", tmp_path / "o.nrrd", "--teacher", teacher_file]
    line += ["--device", "cpu", "--quiet", "--report", report, "--brightness", 2.5]
    assert cli.main([str(one) for one in line]) == 0
    assert json.loads(report.read_text())["settings"]["brightness"] == 2.5
    assert cli.main([str(one) for one in line[:-1]] + ["4"]) == 2
    assert "Setting brightness is 4.0: give a number from 1 to 3." in capsys.readouterr().err


def test_the_worker_takes_it(
    extended: None, scan_file: Any, teacher_file: Any, tmp_path: Any
) -> None:
    values = {
        "id": 1, "command": "segment", "input": str(scan_file), "output": str(tmp_path / "o.nrrd"),
        "teacher": str(teacher_file), "device": "cpu", "settings": {"brightness": 1.5},
    }  # fmt: skip
    request: Any = decode_request(json.dumps(values).encode())
    answer = Session(threads=1).segment(request, Monitor())
    assert answer["report"]["settings"]["brightness"] == 1.5


@pytest.mark.parametrize("name", ["walls_by_scan", "minimum_vessel_mm3"])
def test_these_are_reachable_by_the_worker_too(name: str, capsys: Any) -> None:
    value = {"walls_by_scan": False, "minimum_vessel_mm3": 77.0}[name]
    assert getattr(build(settings.SegmentationSettings, {name: value}), name) == np.asarray(value)
    with pytest.raises(SystemExit):
        cli.main(["segment", "--help"])
    option = {"walls_by_scan": "--no-walls", "minimum_vessel_mm3": "--minimum-vessel"}[name]
    assert option in capsys.readouterr().out
