"""What the panel says of clicks."""

from __future__ import annotations

from slicer.i18n import tr as _

from GSEMASegmentationLib.click.ClickOutcome import ClickOutcome
from GSEMASegmentationLib.panels.Shortcuts import ctrlName


def clickPrompt() -> str:
    """What to do while the mouse clicks."""
    text = _(
        "Click on an aneurysm in a slice view. {ctrl}+click marks what is no aneurysm. "
        "Esc or a right click ends it."
    )
    return str(text.format(ctrl=ctrlName()))


def clickStatus(outcome: ClickOutcome) -> str:
    """What the panel says of a click."""
    if outcome.kind == "cancelled":
        return _("Cancelled; the scene is unchanged.")
    if outcome.kind == "nothing":
        if outcome.candidateRas is None:
            return _("No aneurysm here, and nothing around it looks like one.")
        text = _("No aneurysm here. The nearest candidate is {distance:.0f} mm away.")
        return text.format(distance=outcome.candidateMm)
    if outcome.aneurysm is None:
        return outcome.message
    text = _("Aneurysm of {volume:.1f} mm³ and {diameter:.1f} mm, probability {probability:.2f}.")
    if not outcome.isComplete:
        text = _(
            "Aneurysm of {volume:.1f} mm³ and {diameter:.1f} mm, probability {probability:.2f}; it "
            "reaches beyond what a click looks at: use Segment for all of it."
        )
    return text.format(
        volume=1000 * outcome.aneurysm.volumeMl,
        diameter=outcome.aneurysm.largestDiameterMm,
        probability=outcome.probability,
    )
