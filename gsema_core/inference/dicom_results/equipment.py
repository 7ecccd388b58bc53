"""Who made an object: this program with a teacher, for research."""

from __future__ import annotations

from typing import Any

MANUFACTURER = "AneurysmSegmentation"
METHOD = "GS-EMA"
RESEARCH = "For research use; not a medical device"

_LONGEST = 64
"""Of a long string: characters (PS3.5, 6.2), but checkers count bytes."""


def equipment(report: dict[str, Any]) -> dict[str, Any]:
    """Manufacturer and versions (PS3.3, C.7.5.2), by highdicom's names for them."""
    program, teacher = report["program"], report["teacher"]
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": program["name"],
        "software_versions": [
            long_string(f"{program['name']} {program['version']}"),
            long_string(f"teacher {teacher['name']}"),
        ],
        "device_serial_number": teacher["sha256"][:16],
    }


def algorithm(report: dict[str, Any]) -> dict[str, Any]:
    """Name, version and parameters of what drew and measured the segments."""
    program, teacher = report["program"], report["teacher"]
    return {
        "name": long_string(f"{METHOD}, teacher {teacher['name']}"),
        "version": long_string(f"{program['name']} {program['version']}"),
        "parameters": {
            "teacher": _printable(teacher["name"]),
            "teacher_sha256": teacher["sha256"],
        },
    }


def statement(report: dict[str, Any]) -> str:
    """A sentence or two for whoever reads an object."""
    program, teacher = report["program"], report["teacher"]
    return (
        f"Made automatically by {program['name']} {program['version']} with the teacher "
        f"{_printable(teacher['name'])} ({METHOD}). {RESEARCH}."
    )


def long_string(text: str) -> str:
    """A text as one long string: short, and without what would make it several."""
    plain = _printable(text.replace("\\", " ")).encode()
    return plain[:_LONGEST].decode(errors="ignore")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
