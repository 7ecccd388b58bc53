"""What a segmentation runs on and how long it takes there, judged by the last run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import slicer
from slicer.i18n import tr as _

from GSEMASegmentationLib.panels.RemainingTime import durationText

DEVICES = ("auto", "cpu", "cuda")
"""What the entries of a panel's device box mean to the worker and to a training."""

SETTING = "GSEMASegmentation/LastRun"


def rememberRun(report: Mapping[str, Any], volumeNode: Any, seconds: float) -> None:
    """Keep what the next run's time is judged by; a machine setting.

    Args:
        report: of the finished run.
        volumeNode: what was segmented.
        seconds: from the button to the result.
    """
    device, teacher = report.get("device"), report.get("teacher")
    if not isinstance(device, Mapping) or not isinstance(teacher, Mapping):
        return
    times = report.get("seconds", {})
    start = float(times.get("load", 0.0)) if isinstance(times, Mapping) else 0.0
    run = {
        "device": dict(device),
        "teacher": teacher.get("name"),
        "seconds": max(seconds - start, 0.0),
        "start": start,
        "mm3": _cubicMillimeters(volumeNode),
        "overlap": dict(report.get("settings", {})).get("overlap"),
    }
    before = _lastRun()
    if before.get("device", {}).get("name") == device.get("name") and "measured" in before:
        run["measured"] = before["measured"]
    slicer.app.userSettings().setValue(SETTING, json.dumps(run))


def rememberMeasurement(teacher: str, found: Mapping[str, Any]) -> None:
    """Keep what the worker says of a device and of one window there.

    What is known of the last run is kept with it, if that was on the same device.

    Args:
        teacher: whose window it was.
        found: the worker's answer, see ``GSEMASegmentationLogic.measureDevice``.
    """
    devices = [one for one in found.get("devices", ()) if isinstance(one, Mapping)]
    chosen = [one for one in devices if one.get("name") == found.get("device")] or devices
    if not chosen:
        return
    run = _lastRun()
    isSame = run.get("device", {}).get("name") == chosen[0].get("name")
    kept = {**(run if isSame else {}), "device": dict(chosen[0])}
    names = ("window_seconds", "window", "spacing_mm")
    kept["measured"] = {"teacher": teacher, **{name: found.get(name) for name in names}}
    slicer.app.userSettings().setValue(SETTING, json.dumps(kept))


def deviceText(volumeNode: Any, teacher: str, device: str, overlap: float) -> str:
    """One line for the panel.

    Args:
        volumeNode: what will be segmented, or None.
        teacher: the chosen teacher's name.
        device: auto, cpu, cuda or cuda:N, as chosen.
        overlap: as chosen.
    """
    run = _lastRun()
    found = run.get("device")
    if not isinstance(found, dict) or not (
        device == "auto" or str(found.get("name", "")).startswith(device)
    ):
        return _("Not known yet: measure the speed, or segment a volume.")
    text = describeDevice(found)
    if volumeNode is None or volumeNode.GetImageData() is None:
        return text
    seconds = _expectedSeconds(run, volumeNode, teacher, overlap)
    sentence = _("{device}; {duration} for this volume, judged by the last run")
    if seconds is None:
        seconds = _measuredSeconds(run, volumeNode, teacher, overlap)
        sentence = _("{device}; {duration} or less for this volume, judged by one window")
    if seconds is None:
        return text
    return sentence.format(device=text, duration=durationText(seconds))


def describeDevice(device: Mapping[str, Any]) -> str:
    """A device as the worker tells of it, in words."""
    if str(device.get("name", "")).startswith("cuda"):
        free, total = (float(device.get(key, 0)) / 1e9 for key in ("free_bytes", "memory_bytes"))
        return _("{model}, {free:.0f} of {total:.0f} GB free").format(
            model=device.get("model", "GPU"), free=free, total=total
        )
    count = device.get("threads", "?")
    return _("CPU, 1 thread") if count == 1 else _("CPU, {count} threads").format(count=count)


def _expectedSeconds(
    run: Mapping[str, Any], volumeNode: Any, teacher: str, overlap: float
) -> float | None:
    """The network works on voxels of one size: the time goes with the volume in mm3.

    Starting the program does not: it is added where the last run had to do it.
    """
    if run.get("teacher") != teacher:
        return None
    try:
        windows = ((1.0 - run["overlap"]) / (1.0 - overlap)) ** 3
        share = windows * _cubicMillimeters(volumeNode) / run["mm3"]
        return float(run["seconds"] * share + run.get("start", 0.0))
    except (KeyError, TypeError, ZeroDivisionError):
        return None


def _measuredSeconds(
    run: Mapping[str, Any], volumeNode: Any, teacher: str, overlap: float
) -> float | None:
    """All windows of the volume, at the cost of the one that was measured.

    It takes less where regions without vessels are skipped.
    """
    measured = run.get("measured")
    if not isinstance(measured, Mapping) or measured.get("teacher") != teacher:
        return None
    try:
        windows = 1
        sides = zip(volumeNode.GetImageData().GetDimensions(), volumeNode.GetSpacing(), strict=True)
        for (count, side), window in zip(sides, measured["window"][::-1], strict=True):
            voxels = count * side / measured["spacing_mm"]
            windows *= 1 + max(0, math.ceil((voxels - window) / (window * (1.0 - overlap))))
        return float(measured["window_seconds"] * windows)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _cubicMillimeters(volumeNode: Any) -> float:
    return math.prod((*volumeNode.GetImageData().GetDimensions(), *volumeNode.GetSpacing()))


def _lastRun() -> dict[str, Any]:
    try:
        run = json.loads(slicer.app.userSettings().value(SETTING, "{}"))
    except (TypeError, ValueError):
        return {}
    return run if isinstance(run, dict) else {}
