"""The choices of the training panel that are saved with a scene."""

from __future__ import annotations

from typing import Annotated

from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper

STEPS, EPOCHS, MINUTES = "steps", "epochs", "minutes"
UNITS = (MINUTES, STEPS, EPOCHS)
MINUTES_OF_A_TRAINING = 30
"""About 1500 steps on two cores. On phantoms of a new center a model was better after 120 steps;
real scans vary more (docs/how-to/train.md). Ours."""


@parameterNodeWrapper
class GSEMATrainingParameterNode:
    """The choices that belong to the cases of a scene.

    cases - The table's rows, as JSON; ``CaseList`` reads and writes them.
    segmentLabels - What segments of a name are, as JSON; ``CaseList`` too.
    length - How long the training lasts, in lengthUnit.
    lengthUnit - Minutes, steps or epochs.
    replayShare - Share of simulated phantoms among what is trained on.
    """

    cases: str
    segmentLabels: str
    length: Annotated[int, WithinRange(1, 10_000_000)] = MINUTES_OF_A_TRAINING
    lengthUnit: Annotated[str, Choice(UNITS)] = MINUTES
    replayShare: Annotated[float, WithinRange(0.0, 0.9)] = 0.0
