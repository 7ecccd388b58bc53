"""The whole way with the real ``gsema``: eight phantoms of a new center make a better teacher."""

from __future__ import annotations

import json
import os
import resource
import runpy
import signal
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def new_center(tmp_path: Path) -> Path:
    """Eight phantoms to train on and four to test on, imaged by a scanner that is new."""
    made: Path = runpy.run_path(str(ROOT / "demo" / "new_center.py"))["make_cases"](tmp_path)
    return made


@pytest.fixture
def logic(scene, training_module):
    made = training_module.GSEMATrainingLogic()
    yield made
    made.close()


def core_seconds() -> float:
    """CPU time of all processes that have ended since this one began."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
def test_fine_tuning_on_eight_cases_improves_a_new_center(logic, new_center, tmp_path):
    """By the two cases that choose; four test cases say too little, and the report says so."""
    from GSEMATrainingLib.comparison.Report import verdictText

    before_s = core_seconds()
    outcome = logic.train(
        str(new_center),
        teacher="default",
        preset="paper",
        output=tmp_path / "run",
        name="low dose",
        length=30,
        unit="steps",
        device="cpu",
        settings={
            "data": {"patch": [64, 64, 64]},
            "run": {"threads": 1, "validate_every": 30},
        },
    )
    assert outcome.status.state == "finished"
    used_s = core_seconds() - before_s
    summary = outcome.report["summary"]
    print(json.dumps(summary, indent=1), outcome.status, f"{used_s:.0f} s of a core")
    from gsema_core.training.metrics_table import read_metrics

    rows = read_metrics(outcome.folder, "validation")
    start, *later = (float(row["aneurysm_dice"]) for row in rows)
    assert max(later) > start + 0.1
    assert outcome.status.best_score == pytest.approx(max(later), abs=1e-4)
    assert len(outcome.report["cases"]) == 4
    assert outcome.report["verdict"] in ("better", "worse", "same")
    assert "on 4 test cases" in verdictText(outcome.report)
    assert "Only 4 patients were held out" in verdictText(outcome.report)


TINY = {
    "data": {"workers": 0, "spacing_mm": 1.6},
    "network": {"kind": "cnn", "features": 8, "stages": 2, "depth": 1},
    "run": {
        "threads": 1,
        "precision": "fp32",
        "log_every": 1,
        "checkpoint_every": 2,
        "progress_s": 0,
    },
}


@pytest.fixture
def tiny_choices(tiny_teacher):
    """A training of a few steps of the tiny teacher."""
    settings = {section: dict(values) for section, values in TINY.items()}
    settings["run"]["validate_every"] = 4
    return {"teacher": str(tiny_teacher), "unit": "steps", "device": "cpu", "settings": settings}


def labelled_pairs(make_case, count):
    """Noisy copies of the two balls: a constant background is no scan."""
    import slicer.util

    rng, pairs = np.random.default_rng(0), []
    for number in range(count):
        volume, segmentation = make_case(f"Doe^Jane{number}")
        slicer.util.arrayFromVolume(volume)[:] += rng.normal(0, 8, (52, 56, 60))
        slicer.util.arrayFromVolumeModified(volume)
        pairs.append((volume, segmentation))
    return pairs


@pytest.mark.slow
def test_the_real_training_of_a_scene_names_nobody(logic, make_case, tiny_choices, tmp_path):
    pairs = labelled_pairs(make_case, 4)
    pairs[0][0].SetAttribute("DICOM.instanceUIDs", "1.2.840.99.1")
    outcome = logic.train(pairs, output=tmp_path / "run", length=8, **tiny_choices)
    assert outcome.status.state == "finished"
    assert outcome.teacher == tmp_path / "run" / "teacher.safetensors"
    assert outcome.report["verdict"] in ("better", "worse", "same")
    assert any(outcome.folder.glob("pictures/step-*.png"))
    for path in outcome.folder.rglob("*"):
        assert "Doe" not in path.name
        if path.is_file():
            content = path.read_bytes()
            assert b"Jane" not in content and b"1.2.840.99" not in content, path


@pytest.mark.slow
def test_a_real_training_is_killed_and_goes_on(logic, make_case, tiny_choices, tmp_path, spin):
    """Where it was, to the same length; that the teacher is the same is tested in the core."""
    from GSEMATrainingLib.panels.RunText import sentence
    from GSEMATrainingLib.run.RunFolder import RunFolder
    from GSEMATrainingLib.run.RunWatch import lookAt

    folder = RunFolder(tmp_path / "run")
    pairs = labelled_pairs(make_case, 3)
    logic.train(pairs, output=folder.path, length=400, blocking=False, **tiny_choices)
    spin(lambda: (status := folder.status()) is not None and status.step >= 6, 120)
    process = logic.processIn(folder.path)
    os.kill(folder.status().pid, signal.SIGKILL)
    spin(lambda: not process.isAlive)
    view = lookAt(folder, process)
    assert view.canGoOn and "cut off at step" in sentence(view)
    step = view.status.step
    logic.goOn(folder)
    spin(lambda: folder.status().step > step + 2, 120)
    folder.stop()
    spin(lambda: not logic.processIn(folder.path).isAlive, 60)
    view = lookAt(folder, logic.processIn(folder.path))
    assert view.status.state == "stopped" and view.canGoOn
    steps = [int(row["step"]) for row in folder.rows("training")]
    assert steps == sorted(set(steps)) == list(range(1, steps[-1] + 1))


@pytest.mark.slow
def test_real_refusals_are_told_in_one_sentence(logic, tiny_choices, tmp_path, new_center):
    """Labels that the core does not know, and validation cases without any aneurysm."""
    import SimpleITK as sitk

    from gsema_core.errors import UserError

    entries = json.loads(new_center.read_text())["cases"]
    for entry in entries:
        if entry["use"] == "validation":
            path = str(new_center.parent / entry["label"])
            labels = sitk.ReadImage(path)
            sitk.WriteImage(labels * sitk.Cast(labels == 1, labels.GetPixelID()), path)
    try:
        outcome = logic.train(
            str(new_center), output=tmp_path / "run", length=2, compare=False, **tiny_choices
        )
        text = (tmp_path / "run" / "train.log").read_text() + outcome.status.message
    except UserError as error:
        text = str(error)
    assert "aneurysm" in text and "validation" in text
    assert "Traceback" not in text
    with pytest.raises(UserError, match="does not exist"):
        logic.train(str(tmp_path / "none.json"), output=tmp_path / "other", **tiny_choices)
