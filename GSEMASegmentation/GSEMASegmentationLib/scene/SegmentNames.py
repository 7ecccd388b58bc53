"""Ids and names of the segments that this module makes; by the ids it finds them again."""

from __future__ import annotations

import re

from slicer.i18n import tr as _

from gsema_core.labels import ANEURYSM, NAMES

VESSEL_ID = "GSEMA_Vessel"
ANEURYSM_ID = "GSEMA_Aneurysm"
"""The id of the largest aneurysm; the others have "_2", "_3", ... behind it."""


def aneurysmId(number: int) -> str:
    """The id of the segment of an aneurysm; 1 is the largest."""
    return ANEURYSM_ID if number == 1 else f"{ANEURYSM_ID}_{number}"


def numberOfId(segmentId: str) -> int | None:
    """Which of this module's aneurysms has this id; None for any other segment."""
    match = re.fullmatch(rf"{ANEURYSM_ID}(?:_(\d+))?", segmentId)
    return None if match is None else int(match[1] or 1)


def aneurysmName(number: int, count: int) -> str:
    """What the segment of an aneurysm is called: numbered only where there are several."""
    name = _(NAMES[ANEURYSM])
    return name if count == 1 else _("{name} {number}").format(name=name, number=number)


def numberOfName(name: str) -> int | None:
    """The number in a name that ``aneurysmName`` has given; None for any other name."""
    match = re.fullmatch(rf"{re.escape(_(NAMES[ANEURYSM]))}(?: (\d+))?", name)
    return None if match is None else int(match[1] or 1)
