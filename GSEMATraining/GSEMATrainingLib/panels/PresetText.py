"""The training methods in plain words."""

from __future__ import annotations

from slicer.i18n import tr as _

from gsema_core.training.presets import PRESETS


def presetNames() -> list[str]:
    """All methods, the paper's first."""
    return sorted(PRESETS, key=lambda name: (name != "paper", name != "default", name))


def presetTitle(name: str) -> str:
    """As a list shows it."""
    titles = {
        "paper": _("GS-EMA + BACL (paper)"),
        "default": _("GS-EMA, learning rates of this program"),
        "paper_soft": _("GS-EMA, softer gate"),
        "code": _("GS-EMA as published code"),
        "mean_teacher": _("Mean teacher (no gate)"),
        "algorithm1": _("GS-EMA, algorithm as printed"),
        "no_ema": _("No average (teacher is the student)"),
        "vaseg": _("Plain supervised training (VASeg)"),
        "feddg": _("Mixed amplitudes (FedDG)"),
        "cmdg": _("Two views that must agree (CMDG)"),
    }
    return titles.get(name, name.replace("_", " "))


def presetText(name: str) -> str:
    """What a method does, for somebody who has not read the paper; empty for unknown ones."""
    words = {
        "paper": _(
            "A student learns from your scans and from altered copies of them; the teacher follows "
            "it only in steps in which both teach the same. The safest choice."
        ),
        "default": _(
            "Like the paper's, but with smaller steps that fade out towards the end, where the "
            "paper's are a tenth after every tenth of the training."
        ),
        "paper_soft": _(
            "Like the paper's, but where scans and copies disagree the teacher still follows, very "
            "slowly."
        ),
        "code": _(
            "What the authors' published program does where it differs from their paper: for "
            "comparisons."
        ),
        "mean_teacher": _(
            "The teacher follows the student slowly in every step, whether or not scans and copies "
            "agree: for comparisons."
        ),
        "algorithm1": _(
            "The paper's algorithm taken literally: the teacher follows where scans and copies "
            "disagree. For comparisons, not for patients."
        ),
        "no_ema": _(
            "The teacher is the student itself: learns fastest, and forgets fastest. For "
            "comparisons."
        ),
        "vaseg": _(
            "Learns from your scans as they are, aneurysms counting more than the rest; nothing "
            "prepares it for other scanners. For comparisons."
        ),
        "feddg": _(
            "Learns from your scans with the contrast and brightness of other patients' scans "
            "mixed in; needs scans of several centers. For comparisons."
        ),
        "cmdg": _(
            "Learns from two altered copies of each scan, which must give the same result. For "
            "comparisons."
        ),
    }
    return words.get(name, "")
