"""What steps were like, in a line of a run's log."""

from __future__ import annotations

from collections.abc import Sequence

from gsema_core.training.trainer import StepRecord


def steps_sentence(records: Sequence[StepRecord], gate_scope: str = "all") -> str:
    """The means of some steps; skipped ones are counted, and only where all are, averaged.

    Args:
        gate_scope: whose gradients the cosine is of; named where it is not of all.
    """
    used = [each for each in records if not each.skipped] or list(records)

    def mean(name: str) -> float:
        return sum(float(getattr(each, name)) for each in used) / len(used)

    whose = "" if gate_scope == "all" else f" of the {gate_scope}'s gradients"
    skipped = sum(each.skipped for each in records)
    return (
        f"loss {mean('loss_source'):.3f} / {mean('loss_target'):.3f} source / target, "
        f"contrast {mean('loss_contrast'):.3f}, cosine{whose} {mean('similarity'):.2f}, "
        f"gate open {100 * mean('gate_open'):.0f} %"
        + (f", {skipped} of {len(records)} steps skipped" if skipped else "")
    )
