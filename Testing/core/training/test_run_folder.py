"""What others see of a run in its folder, and how they steer it."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gsema_core.datasets import find_cases
from gsema_core.errors import UserError
from gsema_core.teachers import load_teacher, read_card
from gsema_core.training import train
from gsema_core.training.lock import held
from gsema_core.training.metrics_table import read_metrics
from gsema_core.training.run_files import ERRORS
from gsema_core.training.trainer import Trainer


def silent(line: str) -> None:
    pass


def read_status(config) -> dict:
    return json.loads((config.run.output / "status.json").read_text())


def state_of(config) -> dict:
    return torch.load(config.run.output / "checkpoint.pt", weights_only=True)


@pytest.fixture
def states(monkeypatch):
    """Every state that a run goes through, in order."""
    from gsema_core.training.run_reporter import RunReporter

    seen: list[str] = []
    show = RunReporter.show

    def note(self, **changes):
        show(self, **changes)
        if not seen or seen[-1] != self.status.state:
            seen.append(self.status.state)

    monkeypatch.setattr(RunReporter, "show", note)
    return seen


def test_the_status_tells_where_the_run_stands(make_tiny, states):
    config = make_tiny(run={"steps": 5, "validate_every": 2})
    result = train(config, silent)
    status = read_status(config)
    assert states == ["preparing", "training", *["validating", "training"] * 3, "finished"]
    assert (status["step"], status["steps"]) == (5, 5)
    assert (status["epoch"], status["epochs"]) == (2, 3)
    assert status["best_score"] == pytest.approx(result.best_score, abs=1e-4)
    assert status["seconds_left"] == 0 and status["seconds_per_step"] > 0
    assert status["device"] == "cpu"
    assert "best teacher" in status["message"]


def test_the_status_of_a_running_step_has_an_estimate(make_tiny):
    config = make_tiny(run={"steps": 10_000})
    seen: list[dict] = []

    def look(line: str) -> None:
        if line.startswith("[2/"):
            seen.append(read_status(config))

    train(config, look, stop=lambda: bool(seen))
    assert seen[0]["state"] == "training"
    # The status of a line is written with it or with the one before: one or two steps are done.
    assert seen[0]["seconds_left"] > 9_000 * seen[0]["seconds_per_step"] > 0


def test_a_stop_file_ends_the_run_with_a_checkpoint(make_tiny, states):
    config = make_tiny(run={"steps": 1000})

    def report(line: str) -> None:
        if line.startswith("[2/"):
            (config.run.output / "stop").touch()

    result = train(config, report)
    assert (result.step, result.finished) == (2, False)
    assert state_of(config)["step"] == 2
    assert not (config.run.output / "stop").exists()
    assert states[-1] == "stopped"
    assert read_status(config)["seconds_left"] is None


def test_an_old_stop_file_does_not_stop_the_next_run(make_tiny):
    config = make_tiny(run={"steps": 1})
    config.run.output.mkdir()
    (config.run.output / "stop").touch()
    assert train(config, silent).finished
    assert not (config.run.output / "stop").exists()


def test_a_run_that_is_stopped_while_it_prepares_has_begun_nothing(make_tiny):
    config = make_tiny()
    result = train(config, silent, stop=lambda: True)
    assert (result.teacher, result.step, result.finished) == (None, 0, False)
    assert read_status(config)["state"] == "stopped"
    assert not (config.run.output / "checkpoint.pt").exists()


def test_a_paused_run_waits_saved_and_goes_on_alike(make_tiny, tmp_path, states, monkeypatch):
    monkeypatch.setattr("gsema_core.training.loop.PAUSE_LOOK_S", 0.01)
    config = make_tiny(run={"steps": 3})
    pause = config.run.output / "pause"
    found: list[int] = []

    def resume() -> None:
        deadline = time.monotonic() + 60
        while read_status(config)["state"] != "paused" and time.monotonic() < deadline:
            time.sleep(0.01)
        found.append(state_of(config)["step"])
        pause.unlink()

    thread = threading.Thread(target=resume)

    def report(line: str) -> None:
        if line.startswith("[2/"):
            pause.touch()
            thread.start()

    result = train(config, report)
    thread.join()
    assert result.finished and found == [2]
    assert states == ["preparing", "training", "paused", "training", *states[4:]]
    whole = replace(config, run=replace(config.run, output=tmp_path / "whole"))
    train(whole, silent)
    expected, paused = state_of(whole)["teacher"], state_of(config)["teacher"]
    assert all(torch.equal(expected[name], paused[name]) for name in expected)


def test_a_paused_run_can_be_stopped(make_tiny):
    config = make_tiny(run={"steps": 3})

    def report(line: str) -> None:
        if line.startswith("[1/"):
            (config.run.output / "pause").touch()
        if line.startswith("Paused"):
            (config.run.output / "stop").touch()

    result = train(config, report)
    assert (result.step, result.finished) == (1, False)


def test_a_second_run_in_the_folder_is_refused_and_disturbs_nothing(make_tiny):
    config = make_tiny(run={"steps": 1})
    train(config, silent)
    before = read_status(config)
    with held(config.run.output), pytest.raises(UserError, match="Another run"):
        train(config, silent)
    assert read_status(config) == before


def test_nothing_in_the_folder_names_a_patient_or_an_image(make_tiny, datalist):
    config = make_tiny(run={"steps": 2, "validate_every": 1, "pictures": 2})
    lines: list[str] = []
    train(config, lines.append, summarize=True)
    output = config.run.output
    written = [output / "status.json", *output.glob("*.csv"), *output.glob("*.safetensors")]
    written += [output / "train.log", *output.glob("pictures/*")]
    written += output.glob("tensorboard/*")
    content = b"".join(path.read_bytes() for path in written) + "".join(lines).encode()
    for name in (b"secret", b"case0", str(datalist.parent).encode()):
        assert name not in content
    assert len(written) >= 8
    names = " ".join(path.name for path in output.rglob("*"))
    assert "secret" not in names and not re.search(r"case\d", names)


def test_an_unexpected_error_leaves_its_traceback_without_a_patient(make_tiny, monkeypatch):
    config = make_tiny(run={"steps": 2})
    patient = find_cases(config.data.datalist)[0].patient

    def fail(*arguments: object) -> None:
        raise KeyError(f"a mistake with {patient}")

    monkeypatch.setattr(Trainer, "train_step", fail)
    with pytest.raises(KeyError):
        train(config, silent)
    text = (config.run.output / ERRORS).read_text(encoding="utf-8")
    assert "Process 0 of the training failed." in text and "in fail" in text
    assert "KeyError: 'a mistake with (name)'" in text and patient not in text
    assert read_status(config)["state"] == "failed"


def test_a_failed_run_says_so_without_a_file_name(make_tiny, datalist, tmp_path):
    broken = tmp_path / "broken.json"
    cases = json.loads(datalist.read_text())["cases"]
    for case in cases:
        case["image"] = str(datalist.parent / case["image"])
        case["label"] = str(datalist.parent / case["label"])
    (tmp_path / "doe.nrrd").write_bytes(b"no image")
    cases[0]["image"] = str(tmp_path / "doe.nrrd")
    broken.write_text(json.dumps({"cases": cases}))
    config = make_tiny(data={"validation_share": 0.0})
    config = replace(config, data=replace(config.data, datalist=broken))
    with pytest.raises(UserError, match=r"doe\.nrrd"):
        train(config, silent)
    text = (config.run.output / "status.json").read_text()
    assert read_status(config)["state"] == "failed"
    assert not (config.run.output / ERRORS).exists()
    assert "doe" not in text and str(tmp_path) not in text


def test_patience_ends_a_run_that_gets_no_better(make_tiny, monkeypatch):
    scores = iter([0.1, 0.5, 0.4, 0.5, 0.3, *[0.9] * 5])
    monkeypatch.setattr(
        "gsema_core.training.loop.validate_together",
        lambda *arguments: {"aneurysm_dice": next(scores), "vessel_dice": 0.0},
    )
    config = make_tiny(run={"steps": 100, "validate_every": 1, "patience": 3})
    result = train(config, silent)
    assert (result.step, result.finished, result.best_score) == (5, True, 0.5)
    assert read_status(config)["state"] == "finished"
    assert "3 validations in a row found no better" in read_status(config)["message"]
    assert train(config, silent).step == 5  # and stays at its end
    more = replace(config, run=replace(config.run, patience=4))
    result = train(more, silent)
    assert (result.step, result.best_score) == (10, 0.9)


def test_minutes_end_a_run_with_a_validated_teacher(make_tiny):
    config = make_tiny(run={"steps": 10**6, "minutes": 0.001})
    said: list[str] = []
    result = train(config, said.append)
    assert not any("1000000" in line for line in [*said, read_status(config)["message"]])
    assert read_status(config)["minutes"] == 0.001
    assert result.finished and 1 <= result.step < 10**6
    assert "its 0.001 minutes are used up" in read_status(config)["message"]
    rows = read_metrics(config.run.output, "validation")
    assert [int(row["step"]) for row in rows] == [result.step]
    last = read_metrics(config.run.output, "training")[-1]
    assert int(last["step"]) == result.step
    assert result.teacher.exists()


def test_the_learning_rate_falls_with_the_minutes(make_tiny, monkeypatch):
    ticks = iter(range(1000))  # a second each time that somebody looks
    monkeypatch.setattr("gsema_core.training.pace.monotonic", lambda: float(next(ticks)))
    config = make_tiny(
        data={"validation_share": 0.0},
        optimization={"warmup_steps": 0},
        run={"steps": 10**6, "minutes": 0.1, "log_every": 1},
    )
    result = train(config, silent)
    rates = [float(row["learning_rate"]) for row in read_metrics(config.run.output, "training")]
    assert result.step == 6 and rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.1 * rates[0]


def test_a_stop_during_the_validation_is_made_up_for(make_tiny, tmp_path):
    """The run that goes on validates first: its log is that of an undisturbed run."""
    config = make_tiny(run={"steps": 4, "validate_every": 2})
    whole = replace(config, run=replace(config.run, output=tmp_path / "whole"))
    train(whole, silent)

    def stop() -> bool:
        status = config.run.output / "status.json"
        return status.exists() and read_status(config)["state"] == "validating"

    first = train(config, silent, stop)
    assert (first.step, first.finished) == (2, False)
    assert read_metrics(config.run.output, "validation") == []
    assert train(config, silent).finished
    columns = ("step", "aneurysm_dice", "vessel_dice")
    assert [[row[c] for c in columns] for row in read_metrics(config.run.output, "validation")] == [
        [row[c] for c in columns] for row in read_metrics(whole.run.output, "validation")
    ]


def test_the_teacher_to_start_from_is_the_first_to_beat(make_tiny, tmp_path, monkeypatch):
    first = train(make_tiny(run={"steps": 2}), silent)
    config = make_tiny(run={"steps": 2, "initial_teacher": str(first.teacher)})
    config = replace(config, run=replace(config.run, output=tmp_path / "tuned"))
    scores = iter([0.8, 0.2])
    monkeypatch.setattr(
        "gsema_core.training.loop.validate_together",
        lambda *arguments: {"aneurysm_dice": next(scores), "vessel_dice": 0.0},
    )
    result = train(config, silent)
    assert result.best_score == 0.8
    rows = read_metrics(config.run.output, "validation")
    assert [int(row["step"]) for row in rows] == [0, 2]
    tuned, start = load_teacher(result.teacher), load_teacher(first.teacher)
    assert tuned.card.training["parent_sha256"] == start.sha256
    assert tuned.card.training["steps"] == 0
    for name, tensor in start.network.state_dict().items():
        assert torch.equal(tuned.network.state_dict()[name], tensor)


def test_a_run_that_is_stopped_before_its_first_step_keeps_what_it_validated(make_tiny, tmp_path):
    first = train(make_tiny(run={"steps": 1}), silent)
    config = make_tiny(run={"steps": 2, "initial_teacher": str(first.teacher)})
    config = replace(config, run=replace(config.run, output=tmp_path / "tuned"))

    def validated() -> list[int]:
        return [int(row["step"]) for row in read_metrics(config.run.output, "validation")]

    stopped = train(config, silent, lambda: len(validated()) == 1)
    assert (stopped.step, stopped.finished, stopped.teacher is not None) == (0, False, True)
    Path(first.teacher).unlink()  # needed once
    result = train(config, silent)
    assert result.finished
    assert validated() == [0, 2]
    card = read_card(result.teacher)
    assert len(card.training["parent_sha256"]) == 64
    assert card.appearance is not None and card.appearance.scans == 12  # the first one's too


def test_long_steps_are_saved_by_the_clock(make_tiny, monkeypatch):
    monkeypatch.setattr("gsema_core.training.loop.SAVE_S", 0.0)
    config = make_tiny(run={"steps": 3})
    saved: list[int] = []

    def look(line: str) -> None:
        if line.startswith(("[2/", "[3/")) and "left]" in line:
            saved.append(state_of(config)["step"])

    train(config, look)
    assert saved == [1, 2]


def test_the_card_counts_what_was_trained_on(make_tiny):
    result = train(make_tiny(), silent)
    card = read_card(result.teacher)
    training = card.training
    assert card.appearance is not None and card.appearance.scans == 6
    assert card.appearance.contrast[0] > 0
    assert (training["cases"], training["cases_with_aneurysm"], training["patients"]) == (6, 6, 6)
    assert (training["validation_cases"], training["replay_cases"]) == (2, 0)
    assert training["vessel_ml"] > 0 and training["aneurysm_ml"] > 0
    assert training["replay_share"] == 0 and training["parent_sha256"] is None
    assert "memory_was_short" not in training


def test_patience_without_validation_is_warned_of(make_tiny):
    config = make_tiny(
        data={"validation_share": 0.0}, run={"steps": 3, "validate_every": 1, "patience": 1}
    )
    lines: list[str] = []
    assert train(config, lines.append).step == 3
    assert any("patience does not end the run" in line for line in lines)


def test_without_an_average_the_student_is_what_predicts(make_tiny):
    """The preset no_ema: the file holds the student, in half precision."""
    config = make_tiny("no_ema", run={"steps": 3})
    saved = load_teacher(train(config, silent).teacher).network.state_dict()
    for name, tensor in state_of(config)["student"].items():
        torch.testing.assert_close(saved[name], tensor, rtol=1e-3, atol=1e-6)


def test_the_teachers_own_losses_are_logged(make_tiny):
    config = make_tiny("no_ema", run={"steps": 2})
    train(config, silent)
    for row in read_metrics(config.run.output, "training"):
        assert 0 < float(row["teacher_loss_source"]) < 3
        assert 0 < float(row["teacher_loss_target"]) < 3
        assert float(row["loss_scale"]) == 1


def test_a_line_that_a_full_disk_cut_off_is_dropped(make_tiny):
    config = make_tiny(run={"steps": 2})
    train(config, silent)
    path = config.run.output / "metrics.csv"
    path.write_text(path.read_text() + "1")  # of step 10, say
    train(replace(config, run=replace(config.run, steps=3)), silent)
    rows = read_metrics(config.run.output, "training")
    assert [int(row["step"]) for row in rows] == [1, 2, 3]
