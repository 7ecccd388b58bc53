"""Where the time of a run went, and how much memory it took, as plain values for JSON."""

from __future__ import annotations

from typing import Any

from gsema_core.machine.memory import peak_memory_mb

PARTS = {
    "read": "read the file",
    "load": "import PyTorch, load the teacher",
    "prepare": "resample to the working grid, scale intensities",
    "mask": "look for windows without vessels",
    "network": "run the network",
    "blend": "cut windows out, add their answers up",
    "restore": "resample to the scan's grid, choose labels",
    "clean": "post-process",
    "measure": "measure aneurysms",
    "write": "write the files",
}
"""In the order of the work."""


def profile(report: dict[str, Any], total_seconds: float) -> dict[str, Any]:
    """The parts of a run with their seconds and shares; ``other`` is what none of them covers.

    Args:
        report: of a ``SegmentationResult`` that was saved.
        total_seconds: of the whole run.
    """
    seconds = dict(report["seconds"])
    seconds["blend"] = max(0.0, seconds.get("windows", 0.0) - seconds.get("network", 0.0))
    parts = [
        {"part": name, "what": what, "seconds": round(seconds[name], 3)}
        for name, what in PARTS.items()
        if name in seconds
    ]
    other = total_seconds - sum(part["seconds"] for part in parts)
    parts.append({"part": "other", "what": "all else", "seconds": round(max(0.0, other), 3)})
    for part in parts:
        part["share"] = round(part["seconds"] / total_seconds, 4) if total_seconds > 0 else 0.0
    return {
        "total_seconds": round(total_seconds, 3),
        "parts": parts,
        "windows": report.get("windows"),
        "peak_memory_mb": peak_memory_mb(),
        **{key: report[key] for key in ("program", "teacher", "device", "geometry")},
    }
