"""The loop: logs, checkpoints, resuming, stopping, and a tiny run from end to end."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.evaluation import case_metrics
from gsema_core.files import read_labels, read_volume
from gsema_core.inference import Segmenter
from gsema_core.labels import ANEURYSM
from gsema_core.machine import waiting
from gsema_core.networks import build_network
from gsema_core.teachers import load_teacher, read_card, save_teacher
from gsema_core.training import train
from gsema_core.training.checkpoint import Progress, save_checkpoint
from gsema_core.training.metrics_table import read_metrics
from gsema_core.training.trainer import Trainer


def silent(line: str) -> None:
    pass


def read_steps(config):
    return read_metrics(config.run.output, "training")


def state_of(config) -> dict[str, torch.Tensor]:
    state = torch.load(config.run.output / "checkpoint.pt", weights_only=True)
    return {f"{net}.{name}": t for net in ("student", "teacher") for name, t in state[net].items()}


class StopAt:
    """Say stop once the log has told of a step."""

    def __init__(self, step: int) -> None:
        self.line = f"[{step}/"
        self.told = False

    def report(self, line: str) -> None:
        self.told = self.told or line.startswith(self.line)

    def __call__(self) -> bool:
        return self.told


def test_log_has_a_line_per_step_with_losses_cosine_and_gate(make_config):
    config = make_config()
    train(config, silent)
    rows = read_steps(config)
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4]
    for row in rows:
        assert -1 <= float(row["similarity"]) <= 1
        assert float(row["gate_open_rate"]) in (0.0, 1.0)
        assert float(row["loss_source"]) > 0 and float(row["loss_contrast"]) > 0


def test_a_stopped_run_goes_on_to_the_same_numbers(make_config, tmp_path):
    whole = make_config(run={"steps": 5, "output": str(tmp_path / "whole")})
    whole = replace(whole, run=replace(whole.run, output=tmp_path / "whole"))
    train(whole, silent)
    parts = replace(whole, run=replace(whole.run, output=tmp_path / "parts"))
    stop = StopAt(2)
    first = train(parts, stop.report, stop)
    assert (first.step, first.finished) == (2, False)
    second = train(parts, silent)
    assert (second.step, second.finished) == (5, True)
    expected, resumed = state_of(whole), state_of(parts)
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)
    columns = ("step", "loss_source", "loss_target", "similarity", "alpha")
    assert [[row[c] for c in columns] for row in read_steps(whole)] == [
        [row[c] for c in columns] for row in read_steps(parts)
    ]


def test_steps_that_wait_for_cores_say_so_once(make_config, monkeypatch):
    monkeypatch.setattr(waiting, "SUSTAINED_S", 0.0)
    monkeypatch.setattr(waiting, "FACTOR", 0.01)
    lines: list[str] = []
    train(make_config(run={"steps": 2}), lines.append)
    assert sum("A step takes " in line and "keep the cores busy" in line for line in lines) == 1


def test_tensorboard_gets_the_same_numbers(make_config):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    config = make_config()
    train(config, silent)
    board = events.EventAccumulator(str(config.run.output / "tensorboard"))
    board.Reload()
    written = [event.value for event in board.Scalars("training/loss_source")]
    assert written == pytest.approx([float(row["loss_source"]) for row in read_steps(config)])


def test_without_tensorboard_only_csv_is_written(make_config, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    config = make_config(run={"steps": 1})
    train(config, silent)
    assert len(read_steps(config)) == 1
    assert not (config.run.output / "tensorboard").exists()


def test_sigterm_to_the_process_group_leaves_a_checkpoint(make_config, tmp_path):
    """As a shell's Ctrl-C or a cluster's time limit sends it: to the loader's processes as well."""
    config = make_config(run={"steps": 10_000}, data={"workers": 1})
    settings = tmp_path / "config.json"
    settings.write_text(json.dumps(config.to_dict()))
    code = (
        "import json, sys; from gsema_core.training import TrainingConfig, train; "
        "train(TrainingConfig.from_dict(json.load(open(sys.argv[1]))))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(settings)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in process.stderr:
        if line.startswith("[2/"):
            break
    os.killpg(process.pid, signal.SIGTERM)
    rest = process.communicate(timeout=60)[1]
    assert process.returncode == 0, rest
    state = torch.load(config.run.output / "checkpoint.pt", weights_only=True)
    assert 2 <= state["step"] < 10_000


def test_another_configuration_does_not_take_over_a_run(make_config):
    train(make_config(), silent)
    with pytest.raises(UserError, match=r"another batch_size in \[run\]"):
        train(make_config(run={"batch_size": 2}), silent)


def test_a_run_says_what_it_goes_on_with_that_was_otherwise(make_tiny):
    first = make_tiny(optimization={"schedule": "constant"}, run={"steps": 1})
    train(first, silent)
    lines: list[str] = []
    longer = replace(first, run=replace(first.run, steps=3, patience=2))
    assert train(longer, lines.append).step == 3
    assert "Going on with steps 3 in [run], which was 1." in lines
    assert "Going on with patience 2 in [run], which was 0." in lines
    assert not any(line.startswith("Warning") for line in lines)
    assert "budget_changes" not in read_card(first.run.output / "teacher.safetensors").training


def test_a_schedule_that_is_stretched_is_warned_of_and_on_the_card(make_tiny):
    """A rate that had fallen to nothing rises again: no run of three steps is like that."""
    first = make_tiny(run={"steps": 2})
    train(first, silent)
    lines: list[str] = []
    longer = replace(first, run=replace(first.run, steps=3))
    train(longer, lines.append)
    warning = next(line for line in lines if line.startswith("Warning: The schedule"))
    assert "cosine is stretched at step 2 from 2 steps to 3 steps" in warning
    assert train(longer, lines.append).finished  # nothing more to stretch
    assert lines.count(warning) == 1
    state = torch.load(first.run.output / "checkpoint.pt", weights_only=True)
    assert state["progress"]["budgets"] == ["at step 2 from 2 steps to 3 steps"]


def test_a_run_that_has_made_more_steps_than_are_asked_for_says_so(make_tiny):
    train(make_tiny(run={"steps": 3}), silent)
    lines: list[str] = []
    result = train(make_tiny(run={"steps": 2}), lines.append)
    assert (result.step, result.finished) == (3, True)
    assert any("Finished at step 3, as it had made more than 2 steps" in line for line in lines)


def test_what_a_run_may_not_change_is_told_with_both_values(make_tiny):
    train(make_tiny(run={"steps": 1}), silent)
    with pytest.raises(UserError, match=r"another learning_rate in .* \(0.003, now 0.001\)"):
        train(make_tiny(optimization={"learning_rate": 1e-3}), silent)


def test_a_checkpoint_of_a_version_with_fewer_settings_goes_on(make_config):
    config = make_config(run={"steps": 2})
    train(config, silent)
    path = config.run.output / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    for section, name in (("run", "patience"), ("data", "replay_share"), ("run", "accumulate")):
        del state["config"][section][name]
    torch.save(state, path)
    longer = replace(config, run=replace(config.run, steps=3, patience=5, minutes=9.0))
    assert train(longer, silent).step == 3
    with pytest.raises(UserError, match=r"another accumulate in \[run\]"):
        train(replace(longer, run=replace(longer.run, accumulate=2)), silent)


@pytest.mark.parametrize("preset", ["paper_soft", "code"])
def test_a_checkpoint_from_before_the_conflicts_own_warm_up_goes_on(make_tiny, preset):
    config = make_tiny(preset, run={"steps": 2})
    train(config, silent)
    path = config.run.output / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    del state["config"]["method"]["conflict_warmup"]
    torch.save(state, path)
    assert train(replace(config, run=replace(config.run, steps=3)), silent).step == 3


def test_a_broken_checkpoint_is_named_and_kept(make_config):
    config = make_config()
    train(config, silent)
    path = config.run.output / "checkpoint.pt"
    path.write_bytes(b"broken")
    with pytest.raises(UserError, match=r"checkpoint\.pt cannot be read"):
        train(config, silent)
    assert path.read_bytes() == b"broken"


def test_a_full_disk_keeps_the_checkpoint_before(make_config, tmp_path, monkeypatch):
    config, path = make_config(), tmp_path / "checkpoint.pt"
    trainer = Trainer(config, build_network(config.network), torch.device("cpu"))
    save_checkpoint(path, trainer, Progress())
    before = path.read_bytes()

    def refuse(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(UserError, match=r"Could not write .*checkpoint\.pt \(No space left"):
        save_checkpoint(path, trainer, Progress(seconds=1.0))
    assert path.read_bytes() == before


def test_patients_are_never_named_in_the_teacher_or_the_logs(make_config):
    config = make_config()
    lines: list[str] = []
    result = train(config, lines.append)
    assert b"secret" not in result.teacher.read_bytes()
    logs = "".join(path.read_text() for path in config.run.output.glob("*.csv"))
    assert "secret" not in logs + "".join(lines)


@pytest.mark.parametrize(
    ("section", "values", "named"),
    [
        ("method", {"transform": ["blur"]}, "'blur' is unknown"),
        ("method", {"transform": []}, "transforms is empty"),
        ("method", {"consistency_weight": 10.0}, "the transform paper moves voxels"),
        (
            "method",
            {"consistency_weight": 1.0, "transform": ["gin_ipa", "geometric"]},
            "gin_ipa, geometric moves voxels, .*: set consistency_weight to 0, or a transform",
        ),
        ("method", {"segmentation_loss": "blur"}, "loss 'blur' is unknown: use one of dice_ce"),
        ("run", {"initial_teacher": "nobody"}, "no model named nobody"),
        ("run", {"device": "cuda:99"}, "cuda:99"),
    ],
)
def test_wrong_settings_are_told_before_the_cases_are_prepared(make_config, section, values, named):
    config = make_config(**{section: values})
    with pytest.raises(UserError, match=named):
        train(config, silent)
    assert not (config.run.output / "cache").exists()


def test_data_without_any_aneurysm_is_refused(make_config, monkeypatch):
    monkeypatch.setattr("gsema_core.datasets.cache.ANEURYSM", 7)
    with pytest.raises(UserError, match="None of the 6 training cases"):
        train(make_config(), silent)


def test_fine_tuning_starts_from_the_teacher(make_config, tmp_path):
    config = make_config()
    first = train(config, silent)
    again = make_config(
        run={"initial_teacher": str(first.teacher), "steps": 1},
        optimization={"learning_rate": 0.0, "warmup_steps": 0},
    )
    again = replace(again, run=replace(again.run, output=tmp_path / "again"))
    second = train(again, silent)
    before, after = load_teacher(first.teacher), load_teacher(second.teacher)
    for name, tensor in before.network.state_dict().items():
        torch.testing.assert_close(after.network.state_dict()[name], tensor)


def test_a_teacher_with_another_network_is_refused(make_config, tmp_path):
    first = train(make_config(), silent)
    other = make_config(run={"initial_teacher": str(first.teacher)}, network={"features": 16})
    other = replace(other, run=replace(other.run, output=tmp_path / "other"))
    with pytest.raises(UserError, match="another network"):
        train(other, silent)


@pytest.mark.slow
def test_tiny_run_learns(make_config, datalist, tmp_path):
    """Seeded: the loss falls, and the teacher finds the ball that an untrained one does not."""
    config = make_config(
        data={"validation_share": 0.25}, run={"steps": 160, "validate_every": 80, "log_every": 10}
    )
    untrained = replace(config, run=replace(config.run, output=tmp_path / "untrained", steps=1))
    result = train(config, silent)
    rows = read_steps(config)
    assert float(rows[-1]["loss_target"]) < 0.6 * float(rows[0]["loss_target"])
    scores = {}
    for name, path in {"trained": result.teacher, "untrained": _first_teacher(untrained)}.items():
        volume = read_volume(datalist.parent / "case0.nrrd")
        reference = read_labels(datalist.parent / "case0-label.nrrd")
        labels = Segmenter(load_teacher(path), device="cpu").segment(volume).labels
        scores[name] = case_metrics(labels.array, reference.array, ANEURYSM, volume.geometry)
    assert scores["trained"]["dice"] > 0.6
    assert scores["trained"]["dice"] > scores["untrained"]["dice"] + 0.3


def _first_teacher(config):
    """The teacher as it was before the first step."""
    path = config.run.output
    path.mkdir()
    torch.manual_seed(config.run.seed)
    from gsema_core.networks import build_network

    result = train(config, silent)
    card = load_teacher(result.teacher).card
    torch.manual_seed(config.run.seed)
    save_teacher(path / "untrained.safetensors", build_network(config.network), card)
    return path / "untrained.safetensors"


def test_without_validation_there_is_a_teacher_and_no_score(make_config):
    result = train(make_config(data={"validation_share": 0.0}), silent)
    assert result.best_score == -1
    assert read_card(result.teacher).metrics == {}


def test_seconds_per_step_leave_validations_out(make_config, monkeypatch):
    # A clock that counts: each step takes a second, whatever lies between the log's lines.
    ticks = iter(range(1000))
    monkeypatch.setattr("gsema_core.training.pace.monotonic", lambda: float(next(ticks)))
    config = make_config(run={"steps": 6, "log_every": 3, "validate_every": 2})
    train(config, silent)
    assert [float(row["seconds_per_step"]) for row in read_steps(config)] == [1.0, 1.0]


def test_validation_scores_are_logged(make_config):
    config = make_config(run={"steps": 2, "validate_every": 1})
    train(config, silent)
    rows = read_metrics(config.run.output, "validation")
    assert [int(row["step"]) for row in rows] == [1, 2]
    assert all(0 <= float(row["aneurysm_dice"]) <= 1 for row in rows)
    assert np.isfinite([float(row["vessel_dice"]) for row in rows]).all()
