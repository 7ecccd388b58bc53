"""nnU-Net's row: the export, the commands, and what is said where it is missing."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gsema_core.benchmark import run_benchmark
from gsema_core.benchmark.nnunet import (
    SPENT,
    NnUnet,
    TrainingClock,
    find_command,
    trainer_name,
)
from gsema_core.benchmark.nnunet_dataset import DATASET, export
from gsema_core.benchmark.records import read_records
from gsema_core.datasets import read_case, read_datalist, split_by_patient
from gsema_core.datasets.nnunet_folder import read_nnunet_folder
from gsema_core.errors import UserError
from gsema_core.labels import IGNORE

FAKE = """#!{python}
import json, os, pathlib, shutil, signal, subprocess, sys, time
name, arguments = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
with open({calls!r}, "a") as file:
    file.write(json.dumps([name, arguments, os.environ["nnUNet_results"]]) + "\\n")
if name == "nnUNetv2_train" and {seconds}:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "{seconds}"])
    pathlib.Path({calls!r} + ".pids").write_text(str(os.getpid()) + " " + str(child.pid))
    child.wait()
if name == "nnUNetv2_plan_and_preprocess" and {fails}:
    sys.exit("no luck")
if name == "nnUNetv2_predict":
    source, target = (pathlib.Path(arguments[arguments.index(o) + 1]) for o in ("-i", "-o"))
    for number, _ in enumerate(sorted(source.iterdir()), start=4):
        shutil.copy({labels!r} + f"/case{{number - 1}}-label.nrrd",
                    target / f"test_{{number - 3:04d}}.nrrd")
"""


@pytest.fixture
def fake_nnunet(tmp_path, monkeypatch):
    """Commands that note how they are called and predict center B's own labels."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)

    def make(seconds: float = 0, fails: bool = False) -> Path:
        calls = tmp_path / "calls.jsonl"
        text = FAKE.format(python=sys.executable, calls=str(calls), seconds=seconds, fails=fails,
                           labels=str(tmp_path))  # fmt: skip
        for name in ("plan_and_preprocess", "train", "predict"):
            command = tmp_path / "bin" / f"nnUNetv2_{name}"
            command.parent.mkdir(exist_ok=True)
            command.write_text(text)
            command.chmod(command.stat().st_mode | stat.S_IXUSR)
        return calls

    return make


@pytest.fixture
def plan(make_plan):
    return make_plan(rows=("nnunet",), centers=("B",))


def test_export_is_a_raw_dataset_without_names_and_unseen_labels(make_plan, tmp_path):
    plan = make_plan()
    split = split_by_patient(plan.seen("B"), (), 0.3, 0)
    export(tmp_path / "export", split, plan.unseen("B"))
    raw = tmp_path / "export" / "raw" / DATASET
    described = json.loads((raw / "dataset.json").read_text())
    assert described["labels"] == {"background": 0, "vessel": 1, "aneurysm": 2}
    assert described["numTraining"] == 3 and described["file_ending"] == ".nrrd"
    assert {path.name for path in (raw / "imagesTr").iterdir()} == {
        f"case_{n:04d}_0000.nrrd" for n in (1, 2, 3)
    }
    assert len(list((raw / "labelsTr").iterdir())) == 3
    assert len(list((raw / "imagesTs").iterdir())) == 3
    prepared = tmp_path / "export" / "preprocessed" / DATASET
    (fold,) = json.loads((prepared / "splits_final.json").read_text())
    assert sorted(fold["train"] + fold["val"]) == ["case_0001", "case_0002", "case_0003"]
    assert len(fold["val"]) == 1


def test_voxels_to_ignore_are_nnunets_own_label(make_plan, tmp_path):
    """There it is the highest of consecutive values."""
    plan = make_plan()
    split = split_by_patient(plan.seen("B"), (), 0.3, 0)
    hidden = ((0, 0), (1, 1), (2, IGNORE))
    training = tuple(replace(case, relabel=hidden) for case in split.training)
    export(tmp_path / "export", replace(split, training=training), [])
    raw = tmp_path / "export" / "raw" / DATASET
    labels = {"background": 0, "vessel": 1, "aneurysm": 2, "ignore": 3}
    assert json.loads((raw / "dataset.json").read_text())["labels"] == labels
    case = read_nnunet_folder(raw)[0]
    assert case.relabel == ((0, 0), (1, 1), (2, 2), (3, IGNORE))
    assert {*np.unique(read_case(case)[1].array)} == {0, 1, IGNORE}


def test_the_row_is_trained_by_its_commands_and_scored_by_ours(plan, fake_nnunet):
    calls = fake_nnunet()
    assert run_benchmark(plan, lambda line: None)
    names, arguments, results = zip(
        *(json.loads(line) for line in calls.read_text().splitlines()), strict=True
    )
    assert names == ("nnUNetv2_plan_and_preprocess", "nnUNetv2_train", "nnUNetv2_predict")
    assert arguments[0][arguments[0].index("-overwrite_target_spacing") + 1] == "1"
    assert arguments[1][arguments[1].index("-tr") + 1] == "nnUNetTrainer_1epoch"
    assert "--c" in arguments[1] and "checkpoint_best.pth" in arguments[2]
    assert set(results) == {str(plan.output / plan.cells[0].folder / "results")}
    (record,) = read_records(plan).values()
    assert [each["aneurysm"]["dice"] for each in record["cases"]] == [1.0, 1.0, 1.0]
    assert "nnU-Net" in (plan.output / "table.md").read_text()


def test_it_stops_and_goes_on_without_planning_again(plan, fake_nnunet):
    calls = fake_nnunet(seconds=60)
    asked = iter([False] * (len(plan.cases) + 4))
    assert not run_benchmark(plan, lambda line: None, lambda: next(asked, True))
    for pid in calls.with_name("calls.jsonl.pids").read_text().split():
        assert _is_gone(int(pid))  # although it was deaf to SIGTERM
    fake_nnunet()
    before = calls.read_text().count("plan_and_preprocess")
    assert run_benchmark(plan, lambda line: None)
    assert before == 1 == calls.read_text().count('"nnUNetv2_plan_and_preprocess"')


def test_minutes_end_its_training(make_plan, fake_nnunet):
    fake_nnunet(seconds=60)
    plan = make_plan(rows=("nnunet",), centers=("B",), run={"minutes": 0.01})
    assert run_benchmark(plan, lambda line: None)
    (record,) = read_records(plan).values()
    assert record["training"]["seconds"] < 50


def test_its_minutes_are_those_of_all_sessions(make_plan, fake_nnunet):
    """Stopped after a part of its budget, it goes on with the rest of it."""
    calls = fake_nnunet(seconds=4)
    plan = make_plan(rows=("nnunet",), centers=("B",), run={"minutes": 1.0})
    asked = iter([False] * (len(plan.cases) + 4))  # the last is asked when training runs
    assert not run_benchmark(plan, lambda line: None, lambda: next(asked, True))
    spent = plan.output / plan.cells[0].folder / SPENT
    assert 0 < float(spent.read_text()) < 4
    spent.write_text("59.9\n")
    assert run_benchmark(plan, lambda line: None)
    (record,) = read_records(plan).values()
    assert 59.9 < record["training"]["seconds"] < 59.9 + 4  # ended by its budget
    assert calls.read_text().count("nnUNetv2_train") == 2


def test_a_used_up_budget_is_not_trained_again(make_plan, fake_nnunet):
    calls = fake_nnunet(seconds=60)
    plan = make_plan(rows=("nnunet",), centers=("B",), run={"minutes": 0.01})
    folder = plan.output / plan.cells[0].folder
    folder.mkdir(parents=True)
    (folder / SPENT).write_text("0.6\n")  # killed between the last look and its end
    assert run_benchmark(plan, lambda line: None)
    assert "nnUNetv2_train" not in calls.read_text()


def test_the_clock_remembers_what_a_kill_would_forget(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("gsema_core.benchmark.nnunet.time.monotonic", lambda: now[0])
    path = tmp_path / SPENT
    with TrainingClock(path, budget=20).running() as is_over:
        now[0] += 12
        assert not is_over()
        assert float(path.read_text()) == 12  # and not only at the end
        now[0] += 1
    now[0] += 1000  # between two sessions
    clock = TrainingClock(path, budget=20)
    assert clock.seconds == 13
    with clock.running() as is_over:
        now[0] += 8
        assert is_over()
    now[0] += 1000
    assert clock.seconds == 21


def test_a_failure_names_its_log(plan, fake_nnunet):
    fake_nnunet(fails=True)
    with pytest.raises(UserError, match=r"plan_and_preprocess failed with code 1.*nnunet\.log"):
        run_benchmark(plan, lambda line: None)


def test_without_it_one_sentence_says_how_to_install(plan, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(UserError, match=r"pip install \"gsema_core\[nnunet\]\""):
        find_command("nnUNetv2_train")
    with pytest.raises(UserError, match="or leave the row out"):
        NnUnet(plan, plan.cells[0], lambda line: None)


@pytest.mark.parametrize(
    ("steps", "minutes", "name"),
    [
        (250, 0, "nnUNetTrainer_1epoch"),
        (251, 0, "nnUNetTrainer_5epochs"),
        (25_000, 0, "nnUNetTrainer_100epochs"),
        (10**9, 0, "nnUNetTrainer_8000epochs"),
        (250, 30.0, "nnUNetTrainer"),
    ],
)
def test_trainer_is_the_shortest_that_makes_the_steps(steps, minutes, name):
    assert trainer_name(steps, minutes) == name


def test_its_split_is_ours(plan):
    plan.begin()
    config = plan.config(plan.cells[0])
    cases = read_datalist(config.data.datalist)
    ours = split_by_patient(cases, (), config.data.validation_share, config.run.seed)
    assert len(ours.validation) == 1 and len(ours.training) == 2


def _is_gone(pid: int) -> bool:
    """Within a while, or a zombie that nobody has asked for."""
    for _ in range(100):
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        if not state or state.startswith("Z"):
            return True
        time.sleep(0.1)
    return False
