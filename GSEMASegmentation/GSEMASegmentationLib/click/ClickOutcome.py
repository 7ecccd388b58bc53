"""What a click gives, as scripts and the panel see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slicer.i18n import tr as _

from GSEMASegmentationLib.measure.Aneurysms import Aneurysm
from GSEMASegmentationLib.scene.Coordinates import Point, worldFromLps


@dataclass(frozen=True)
class ClickOutcome:
    """How a click ended.

    Attributes:
        kind: "found", "nothing" (there is no aneurysm), "error" or "cancelled". Only "found" has
            changed the scene.
        message: one sentence for the user, for "nothing" and "error".
        ras: where the last click in the aneurysm was.
        segmentationNode: the segmentation that has the aneurysm now.
        segmentId: its segment.
        isRefreshed: whether it replaced an aneurysm that was there already.
        aneurysm: its volume, diameter and position; its ``index`` has no meaning.
        probability: the probability of an aneurysm at the click, from 0 to 1.
        highestProbability: the highest probability around the click.
        highestRas: where that is.
        candidateRas: for "nothing": the nearest place where a click would find something, or None.
        candidateMm: how far that is from the click.
        threshold: the least probability that counted as aneurysm.
        isComplete: False where the aneurysm reaches beyond what a click looks at.
        notes: what the user should know of this answer, one sentence each.
        report: provenance: teacher, device, version, settings, seconds, geometry.
    """

    kind: str
    message: str = ""
    ras: Point = (0.0, 0.0, 0.0)
    segmentationNode: Any = None
    segmentId: str = ""
    isRefreshed: bool = False
    aneurysm: Aneurysm | None = None
    probability: float = 0.0
    highestProbability: float = 0.0
    highestRas: Point = (0.0, 0.0, 0.0)
    candidateRas: Point | None = None
    candidateMm: float = 0.0
    threshold: float = 0.0
    isComplete: bool = True
    notes: tuple[str, ...] = ()
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def isFound(self) -> bool:
        """Whether there is an aneurysm, which is now a segment."""
        return self.kind == "found"


def outcomeFromWorker(data: Mapping[str, Any], ras: Point, volumeNode: Any) -> ClickOutcome:
    """What the worker says (LPS, without the volume's transform), before anything is imported.

    Raises:
        KeyError, TypeError, ValueError: something is missing or of another type.
    """
    candidate, candidateRas, distance = data["candidate"], None, 0.0
    if candidate is not None:
        candidateRas = worldFromLps(candidate["lps"], volumeNode)
        distance = float(candidate["distance_mm"])
    return ClickOutcome(
        "found" if data["found"] else "nothing",
        "" if data["found"] else _nothingText(ras, candidateRas, distance),
        ras,
        probability=float(data["probability"]),
        highestProbability=float(data["highest_probability"]),
        highestRas=worldFromLps(data["highest_lps"], volumeNode),
        candidateRas=candidateRas,
        candidateMm=distance,
        threshold=float(data["threshold"]),
        isComplete=bool(data["complete"]),
        notes=tuple(data.get("notes", ())),
        report=dict(data.get("report", {})),
    )


def _nothingText(ras: Point, candidateRas: Point | None, distanceMm: float) -> str:
    place = describePoint(ras)
    if candidateRas is None:
        text = _("There is no aneurysm at {place}, and nothing around it looks like one.")
        return text.format(place=place)
    text = _(
        "There is no aneurysm at {place}. The nearest candidate is {distance:.0f} mm away, at "
        "{there}."
    )
    return text.format(place=place, distance=distanceMm, there=describePoint(candidateRas))


def describePoint(ras: Sequence[float]) -> str:
    """A point as Slicer shows it."""
    # Adding 0 turns a negative zero into a plain one.
    r, a, s = (round(float(value), 1) + 0.0 for value in ras)
    return f"R {r:.1f}, A {a:.1f}, S {s:.1f} mm"
