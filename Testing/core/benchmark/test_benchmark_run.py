"""Tiny benchmarks from end to end: stopped, killed, resumed, and blind to the unseen center."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from gsema_core.benchmark import report_benchmark, run_benchmark
from gsema_core.benchmark.records import read_records
from gsema_core.errors import UserError
from gsema_core.training.metrics_table import read_metrics

CLOCKS = {"seconds", "seconds_per_step", "memory_mb"}


def silent(line: str) -> None:
    pass


def numbers(plan, cell) -> list[dict[str, str]]:
    """Everything that a cell's training logged but its clocks."""
    rows = read_metrics(plan.output / cell.folder)
    return [{name: row[name] for name in row if name not in CLOCKS} for row in rows]


def teacher(plan, cell) -> bytes:
    return (plan.output / cell.folder / "teacher.safetensors").read_bytes()


def weights(plan, cell):
    from gsema_core.teachers import load_teacher

    path = plan.output / cell.folder / "teacher.safetensors"
    return load_teacher(path).network.state_dict()


def test_every_cell_is_trained_scored_and_in_the_tables(make_plan):
    plan = make_plan()
    assert run_benchmark(plan, silent)
    records = read_records(plan)
    assert list(records) == plan.cells
    for cell, record in records.items():
        assert record["training"]["steps"] == 3
        assert record["training"]["gate_scope"] == "all"
        assert [case["case"] for case in record["cases"]] == ["1", "2", "3"]
        assert {case["center"] for case in record["cases"]} == {cell.center}
        patients = [case["patient"] for case in record["cases"]]
        assert patients == {"A": [1, 2, 3], "B": [4, 5, 6]}[cell.center]
    page = (plan.output / "table.md").read_text()
    assert "6 simulated scans" in page and "Not finished" not in page
    assert page.count("GS-EMA + BACL") >= 4 and "Mean of the unseen centers A, B" in page
    with (plan.output / "cases.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 12
    everything = "".join(path.read_text() for path in plan.output.glob("*.*"))
    assert "secret" not in everything and "case0" not in everything


def test_a_finished_cell_is_not_done_again(make_plan):
    plan = make_plan(rows=("no_ema",), centers=("A",))
    run_benchmark(plan, silent)
    (record,) = plan.output.rglob("scores.json")
    before = record.stat().st_mtime_ns, record.read_bytes()
    more = make_plan(rows=("no_ema", "ema"), centers=("A",))
    run_benchmark(more, silent)
    assert (record.stat().st_mtime_ns, record.read_bytes()) == before
    assert len(read_records(more)) == 2


def test_stopped_anywhere_it_goes_on_to_the_same_numbers(make_plan, tmp_path):
    settings = {"rows": ("gs_ema",), "centers": ("A",)}
    whole = make_plan(**settings)
    run_benchmark(whole, silent)
    (cell,) = whole.cells
    expected = numbers(whole, cell), read_records(whole)[cell]["cases"]
    whole.output.rename(tmp_path / "whole")

    parts = make_plan(**settings)
    for questions in (1, 2, 3):
        asked = iter(range(questions))
        assert not run_benchmark(parts, silent, lambda a=asked: next(a, None) is None)
        assert not read_records(parts)
    assert run_benchmark(parts, silent)
    assert (numbers(parts, cell), read_records(parts)[cell]["cases"]) == expected


def test_scrambling_the_unseen_centers_labels_changes_no_training_number(
    make_plan, scramble, tmp_path
):
    settings = {"rows": ("gs_ema_bacl",), "centers": ("B",), "run": {"validate_every": 1}}
    plan = make_plan(**settings)
    run_benchmark(plan, silent)
    (cell,) = plan.cells
    before, kept = numbers(plan, cell), weights(plan, cell)
    dice = [case["aneurysm"]["dice"] for case in read_records(plan)[cell]["cases"]]
    sizes = [case["vessel"] for case in read_records(plan)[cell]["cases"]]
    plan.output.rename(tmp_path / "before")

    scramble("B")
    plan = make_plan(**settings)
    run_benchmark(plan, silent)
    assert numbers(plan, cell) == before
    assert all((weights(plan, cell)[name] == value).all() for name, value in kept.items())
    record = read_records(plan)[cell]
    assert [case["aneurysm"]["dice"] for case in record["cases"]] != dice or [
        case["vessel"] for case in record["cases"]
    ] != sizes  # the scores did see other labels


def test_an_unfinished_benchmark_has_tables_of_what_is_there(make_plan):
    plan = make_plan(rows=("no_ema", "ema"))
    with pytest.raises(UserError, match=r"No cell of .* is finished"):
        report_benchmark(plan, silent)
    run_benchmark(make_plan(rows=("no_ema",)), silent)
    report_benchmark(plan, silent, figures=False)
    page = (plan.output / "table.md").read_text()
    assert "Not finished: 2 of 4 cells are missing." in page
    assert "Mean of the unseen centers" not in page


@pytest.mark.slow
def test_killed_it_goes_on_to_the_numbers_of_an_unbroken_one(
    datalist, write_toml, make_plan, tmp_path
):
    def command(output: str) -> list[str]:
        return [sys.executable, "-m", "gsema_core", "benchmark", str(datalist),
                "--output", str(tmp_path / output), "--rows", "no_ema,gs_ema", "--centers", "B",
                "--steps", "80", "--config", str(write_toml()), "--simulated",
                "--no-figures"]  # fmt: skip

    subprocess.run(command("whole"), check=True, capture_output=True)
    cells = tmp_path / "killed" / "cells" / "B"
    for seen in (cells / f"{row}-seed0" / "metrics.csv" for row in ("no_ema", "gs_ema")):
        process = subprocess.Popen(command("killed"), stderr=subprocess.DEVNULL)
        while process.poll() is None and not (seen.exists() and seen.read_text().count("\n") > 9):
            time.sleep(0.01)
        assert process.poll() is None, "It was over before it could be killed: take more steps."
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert subprocess.run(command("killed"), capture_output=True, text=True).returncode == 0
    for name in ("table.md", "table.csv", "cases.csv"):
        texts = [(tmp_path / output / name).read_text() for output in ("whole", "killed")]
        assert without_clocks(texts[0]) == without_clocks(texts[1])
    records = [json.loads((tmp_path / output / "cells/B/gs_ema-seed0/scores.json").read_text())
               for output in ("whole", "killed")]  # fmt: skip
    assert records[0]["cases"] == records[1]["cases"]


def without_clocks(text: str) -> str:
    return text.split("Training\n")[0]


def test_rivals_are_trained_and_scored_like_the_others(make_plan):
    plan = make_plan(rows=("vaseg", "feddg", "cmdg"), centers=("B",), data={"validation_share": 0})
    cases = [replace(case, center="C") if n == 0 else case for n, case in enumerate(plan.cases)]
    plan = replace(plan, cases=tuple(cases))  # amplitudes are mixed between two seen centers
    assert run_benchmark(plan, silent)
    report_benchmark(plan, silent, figures=False)
    records = read_records(plan)
    assert [record["training"]["steps"] for record in records.values()] == [3, 3, 3]
    page = (plan.output / "table.md").read_text()
    assert all(f"| {title} |" in page for title in ("VASeg", "FedDG", "CMDG"))


def test_minutes_end_a_rows_training(make_plan):
    plan = make_plan(rows=("no_ema",), centers=("A",), run={"steps": 100_000, "minutes": 0.02})
    assert run_benchmark(plan, silent)
    (record,) = read_records(plan).values()
    assert 0 < record["training"]["steps"] < 100_000
    assert "100000 steps, at most 0.02 minutes" in (plan.output / "table.md").read_text()


def test_all_cases_are_looked_at_before_the_first_cell(make_plan, datalist):
    """Those of the unseen center would else be read after the hours of a training."""
    document = json.loads(datalist.read_text())
    for number in (3, 5):
        document["cases"][number]["relabel"] = [[1, 1]]
    datalist.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"case3-label\.nrrd .* 1 more cannot be used."):
        run_benchmark(make_plan(rows=("no_ema",)), list[str]().append)
    for entry in document["cases"]:
        entry["relabel"] = [[1, 2], [2, 1]]
    datalist.write_text(json.dumps(document))
    plan = make_plan(rows=("no_ema",), centers=("A",))
    with pytest.raises(UserError, match="may be exchanged"):
        run_benchmark(plan, list[str]().append)
    assert not plan.output.exists()  # or a corrected list would be another benchmark's
    accepted = make_plan(rows=("no_ema",), centers=("A",), data={"accept_labels": True})
    lines: list[str] = []
    assert run_benchmark(accepted, lines.append)
    assert any(line.startswith("Check the labels: ") for line in lines)
    assert run_benchmark(plan, lines.append)  # the same benchmark, accepted or not
