"""What a training does, in words."""

from __future__ import annotations

from GSEMASegmentationLib.panels.RemainingTime import durationText
from slicer.i18n import tr as _

from gsema_core.training.status import (
    ENDED,
    FINISHED,
    PAUSED,
    PREPARING,
    VALIDATING,
    Status,
)
from GSEMATrainingLib.run.RunWatch import RunView


def statusText(view: RunView) -> str:
    """What the training does now, and what it warned of, for the panel."""
    words = sentence(view)
    return "\n".join([words, *view.folder.warnings()]) if words else ""


def sentence(view: RunView) -> str:
    """What the training does now."""
    status = view.status
    if view.problem:
        return view.problem
    if status is None:
        return _("Starting...") if view.isRunning else ""
    if not view.isRunning:
        return _endText(view, status) if view.folder.hasRun else ""
    done = doneText(status)
    if view.isEnding:
        return _("Ending: everything is written, {done}.").format(done=done)
    if status.state in ENDED:  # it stands there since the session before
        return _("Starting...")
    if view.folder.isStopping:
        text = _("Stopping: the step is finished and the checkpoint written, {done}.")
        return text.format(done=done)
    if view.folder.isPausing:
        isWaiting = status.state == PAUSED
        text = _("Paused at {done}.") if isWaiting else _("Pausing after this step: {done}.")
        return text.format(done=done)
    if status.state == PREPARING or status.steps == 0:
        return status.message or _("Preparing the cases...")
    if status.state == VALIDATING:
        return _("Validating the model: {done}.").format(done=done)
    if status.is_over:
        return _("Ending: the checkpoint is written, {done}.").format(done=done)
    return _("Training: {done}; {left}.").format(done=done, left=leftText(status))


def leftText(status: Status) -> str:
    """How much longer, as far as it is known."""
    if status.seconds_left is None:
        return _("the time is known in about a minute")
    text = _("{duration} left")
    if status.earliest_step is not None:
        text = _("{duration} left at the latest, as patience may end it from step {step} on")
    duration = durationText(status.seconds_left)
    return text.format(duration=duration, step=status.earliest_step)


def machineText(status: Status) -> str:
    """Device, memory, pace, and the best score so far."""
    parts = [_("CPU") if status.device == "cpu" else status.device] if status.device else []
    if status.memory_mb:
        parts.append(_("{memory:.1f} GB").format(memory=status.memory_mb / 1024))
    if status.seconds_per_step:
        parts.append(_("{seconds:.2g} s a step").format(seconds=status.seconds_per_step))
    if status.best_score is not None and status.best_score >= 0:
        parts.append(
            _("best aneurysm Dice {score:.2f} at step {step}").format(
                score=status.best_score, step=status.best_step
            )
        )
    return ", ".join(parts)


def doneText(status: Status) -> str:
    """How far it is, by what can end it: its steps, its minutes, or both."""
    if status.is_by_time:
        text = _("step {step}, {spent:.0f} of {minutes:g} minutes")
    elif status.minutes:
        text = _("step {step} of {steps}, {spent:.0f} of {minutes:g} minutes")
    else:
        text = _("step {step} of {steps}, epoch {epoch} of {epochs}")
    return text.format(
        step=status.step,
        steps=status.steps,
        epoch=status.epoch,
        epochs=status.epochs,
        spent=status.seconds // 60,
        minutes=status.minutes,
    )


def _endText(view: RunView, status: Status) -> str:
    isFinished = status.state == FINISHED
    text = (
        _("Finished after {done}; {model}.") if isFinished else _("Stopped after {done}; {model}.")
    )
    if not view.folder.teacher.is_file():
        model = _("there is no new model yet")
    elif status.best_score is None:
        model = _("the model is that of step {best}")
    elif status.best_step == 0:
        model = _("none was better yet than the model that it started from")
    else:
        model = _("the best model is that of step {best}")
    return text.format(done=doneText(status), model=model.format(best=status.best_step))
