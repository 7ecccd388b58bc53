"""Damaged inputs for every reader of outside bytes end in a result or in one clear sentence.

To look at input NUMBER of a KIND again (``FOLDER/case`` has it then)::

    python Testing/core/hostile/fuzzing/child.py FOLDER SEED KIND:NUMBER:1
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="memory is limited by Linux's RLIMIT_AS"
)

Fuzz = Callable[[int, list[list[tuple[str, int, int]]]], list[Any]]

SEED = 6
LIGHT = (
    "nrrd", "nifti", "meta", "dicom", "labels", "datalist", "nnunet", "folder", "manifest", "toml",
    "worker",
)  # fmt: skip
"""Kinds whose readers need no PyTorch."""
PEAK_MB = 1000
"""PyTorch alone takes 300 to 500; no reader needs more than some MB for inputs of some kB."""


def check(findings: list[Any], count: int) -> None:
    faults = [one for one in findings if one.is_fault]
    shown = "\n".join(f"{one.kind}:{one.number} {one.outcome}: {one.detail}" for one in faults[:20])
    assert not faults, f"{len(faults)} of {count} inputs (seed {SEED}):\n{shown}"
    assert len(findings) == count
    assert max(one.peak_mb for one in findings) < PEAK_MB


def test_a_sample_of_damaged_inputs(fuzz: Fuzz) -> None:
    findings = fuzz(SEED, [[(kind, 0, 10) for kind in LIGHT]])
    check(findings, 10 * len(LIGHT))
    assert {one.outcome for one in findings} == {"result", "refused"}


@pytest.mark.slow
def test_thousands_of_damaged_inputs(fuzz: Fuzz) -> None:
    counts = {
        "nrrd": 500, "nifti": 400, "meta": 400, "dicom": 2000, "labels": 150, "teacher": 200,
        "datalist": 120, "nnunet": 100, "folder": 150, "manifest": 100, "toml": 150, "worker": 150,
    }  # fmt: skip
    groups = [[(kind, 1000, count)] for kind, count in counts.items()]
    findings = fuzz(SEED, groups)
    check(findings, sum(counts.values()))
    told = Counter((one.kind, one.outcome) for one in findings)
    for kind in counts:  # neither harmless nor hopeless damage
        assert told[kind, "result"] > 0
        assert told[kind, "refused"] > counts[kind] / 4
