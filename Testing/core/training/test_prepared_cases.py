"""Which cases a run can live with, and what happens when they change under it."""

from __future__ import annotations

import errno
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from gsema_core.cli import main
from gsema_core.datasets import find_cases, split_by_patient
from gsema_core.errors import BrokenOffError, UserError
from gsema_core.files import read_labels, read_volume, write_labels, write_volume
from gsema_core.grids import Geometry, Volume
from gsema_core.teachers import read_card
from gsema_core.training import train
from gsema_core.training.logbook import Logbook
from gsema_core.training.metrics_table import read_metrics
from gsema_core.training.prepared_cases import describe
from gsema_core.training.run_reporter import RunReporter


def silent(line: str) -> None:
    pass


def state_of(config) -> dict:
    return torch.load(config.run.output / "checkpoint.pt", weights_only=True)


def teacher_of(config) -> torch.Tensor:
    return torch.cat([each.flatten().float() for each in state_of(config)["teacher"].values()])


def numbers(config) -> list[dict[str, str]]:
    rows = read_metrics(config.run.output)
    return [{key: row[key] for key in row if "seconds" not in key} for row in rows]


@pytest.fixture
def own_cases(datalist: Path, tmp_path: Path) -> Path:
    """A copy of the cases that a test may change; its datalist."""
    return shutil.copytree(datalist.parent, tmp_path / "cases") / "datalist.json"


def relabel(label: Path, change) -> None:
    volume = read_labels(label)
    write_labels(Volume(change(volume.array), volume.geometry), label)


def on(config, datalist: Path, output: Path):
    return replace(
        config,
        data=replace(config.data, datalist=datalist),
        run=replace(config.run, output=output),
    )


def mark(datalist: Path, **changes) -> None:
    """``mark(path, case7={"center": "C"})`` changes a case's entry."""
    document = json.loads(datalist.read_text())
    for name, values in changes.items():
        document["cases"][int(name.removeprefix("case"))].update(values)
    datalist.write_text(json.dumps(document))


def test_scrambling_the_unseen_centers_labels_changes_no_number(make_tiny, own_cases, tmp_path):
    """Neither training nor the choice of a teacher sees the center that was left out."""
    for number in (3, 7):
        mark(own_cases, **{f"case{number}": {"center": "unseen"}})
    config = make_tiny(
        data={"centers": ["A", "B"], "validation_share": 0.3},
        run={"steps": 4, "validate_every": 2},
    )
    before, after = (on(config, own_cases, tmp_path / name) for name in ("before", "after"))
    first = train(before, silent, summarize=True)
    random = np.random.default_rng(0)
    for number in (3, 7):
        label = own_cases.parent / f"case{number}-label.nrrd"
        relabel(label, lambda array: random.permutation(array.ravel()).reshape(array.shape))
    second = train(after, silent, summarize=True)
    assert numbers(after) == numbers(before)
    assert len(numbers(after)) == 6
    assert torch.equal(teacher_of(after), teacher_of(before))
    assert read_card(second.teacher).metrics == read_card(first.teacher).metrics


def test_scrambling_a_training_label_does_change_them(make_tiny, own_cases, tmp_path):
    """Or the test above could not fail."""
    config = make_tiny(data={"validation_share": 0.0}, run={"steps": 2})
    before, after = (on(config, own_cases, tmp_path / name) for name in ("before", "after"))
    train(before, silent)
    for number in range(8):
        relabel(own_cases.parent / f"case{number}-label.nrrd", lambda array: array[::-1].copy())
    train(after, silent)
    assert not torch.equal(teacher_of(after), teacher_of(before))


def test_a_validation_set_without_aneurysms_chooses_by_vessels(make_tiny, own_cases, tmp_path):
    mark(own_cases, case0={"use": "validation"}, case4={"use": "validation"})
    for number in (0, 4):
        label = own_cases.parent / f"case{number}-label.nrrd"
        relabel(label, lambda array: np.minimum(array, 1))
    config = on(make_tiny(run={"steps": 2, "validate_every": 1}), own_cases, tmp_path / "run")
    lines: list[str] = []
    result = train(config, lines.append)
    assert any(line.startswith("Warning: None of the 2 validation cases") for line in lines)
    status = json.loads((config.run.output / "status.json").read_text())
    assert "chosen by its Dice on vessels" in status["message"]
    card = read_card(result.teacher)
    assert set(card.metrics["validation"]) == {"vessel_dice", "patients"}
    vessels = [float(row["vessel_dice"]) for row in numbers(config) if row["vessel_dice"]]
    assert result.best_score == pytest.approx(max(vessels), abs=1e-4)


def test_mixed_spacings_directions_and_values_train_together(make_tiny, own_cases, tmp_path):
    spacings = [(0.3, 0.3, 0.9), (0.7, 0.6, 0.5)]
    turned = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    for number, spacing in enumerate(spacings):
        image, label = (own_cases.parent / f"case{number}{end}.nrrd" for end in ("", "-label"))
        geometry = Geometry((40, 40, 40), spacing, (5.0, -3.0, 9.0), turned)
        scaled = (read_volume(image).array * 3 - 1000).astype(np.int16)
        write_volume(Volume(scaled, geometry), image)
        write_labels(Volume(read_labels(label).array, geometry), label)
    config = on(make_tiny(run={"steps": 8}), own_cases, tmp_path / "run")
    assert train(config, silent, summarize=True).finished
    rows = numbers(config)
    assert all(row["skipped"] == "0" for row in rows if row["skipped"])


def test_a_case_that_is_edited_meanwhile_has_been_read_before(make_tiny, own_cases, tmp_path):
    """The run goes on with what it read; one that is started again says that cases changed."""
    config = make_tiny(data={"workers": 0, "validation_share": 0.0}, run={"steps": 3})
    edited = on(config, own_cases, tmp_path / "edited")
    whole = on(config, own_cases, tmp_path / "whole")
    train(whole, silent)

    def edit(line: str) -> None:
        if line.startswith("[1/"):
            for number in range(8):
                image = own_cases.parent / f"case{number}.nrrd"
                image.write_bytes(b"half a fi")
            (own_cases.parent / "case0-label.nrrd").unlink()

    assert train(edited, edit).finished
    assert torch.equal(teacher_of(edited), teacher_of(whole))


def test_a_run_that_goes_on_with_changed_cases_says_so(make_tiny, own_cases, tmp_path):
    config = on(
        make_tiny(optimization={"schedule": "constant"}, run={"steps": 1}),
        own_cases,
        tmp_path / "run",
    )
    train(config, silent)
    lines: list[str] = []
    longer = replace(config, run=replace(config.run, steps=2))
    train(longer, lines.append)
    assert not any("Warning" in line for line in lines)
    for number in range(8):
        relabel(own_cases.parent / f"case{number}-label.nrrd", lambda array: array[::-1].copy())
    train(replace(config, run=replace(config.run, steps=3)), lines.append)
    assert any("cases are not those that this run began with" in line for line in lines)


def test_a_run_whose_prepared_cases_vanish_says_so_and_goes_on_when_started_again(make_tiny):
    """No file is kept open: there may be more of them than a process may open."""
    config = make_tiny(run={"steps": 3, "checkpoint_every": 1})

    def remove(line: str) -> None:
        if line.startswith("[1/"):
            shutil.rmtree(config.run.output / "cache")

    with pytest.raises(BrokenOffError, match=r"prepared case in .* start the run again"):
        train(config, remove)
    assert train(config, str).finished


def test_a_run_whose_folder_vanishes_ends_in_one_sentence(make_tiny, tmp_path):
    config = make_tiny(run={"steps": 4, "checkpoint_every": 1})

    def remove(line: str) -> None:
        if line.startswith("[2/"):
            config.run.output.rename(tmp_path / "elsewhere")

    with pytest.raises(UserError, match=r"run's folder .* is gone: put it back") as caught:
        train(config, remove)
    assert "\n" not in str(caught.value)
    assert not config.run.output.exists()
    (tmp_path / "elsewhere").rename(config.run.output)
    assert state_of(config)["step"] == 1
    assert train(config, silent).finished


def test_a_full_disk_ends_it_and_the_checkpoint_before_stays(make_tiny, monkeypatch):
    config = make_tiny(run={"steps": 6, "checkpoint_every": 2, "validate_every": 6})
    whole = replace(config, run=replace(config.run, output=config.run.output / "whole"))
    train(whole, silent)
    write = Path.write_bytes

    def full(path: Path, data) -> int:
        if path.name == "checkpoint.pt" and done:
            raise OSError(errno.ENOSPC, "No space left on device")
        done.append(path)
        return write(path, data)

    done: list[Path] = []
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match=r"checkpoint\.pt .No space left") as caught:
        train(config, silent)
    assert "\n" not in str(caught.value)
    status = json.loads((config.run.output / "status.json").read_text())
    assert status["state"] == "failed"
    assert state_of(config)["step"] == 2
    monkeypatch.undo()
    assert train(config, silent).finished
    assert torch.equal(teacher_of(config), teacher_of(whole))


def test_a_full_disk_under_the_log_is_one_sentence(make_tiny, monkeypatch):
    begin = Logbook.resume_at

    def resume_at(logbook: Logbook, step: int) -> None:
        begin(logbook, step)
        table = logbook.folder / "metrics.csv"
        table.unlink()
        table.symlink_to("/dev/full")

    monkeypatch.setattr(Logbook, "resume_at", resume_at)
    with pytest.raises(UserError, match=r"metrics\.csv cannot be written .No space left"):
        train(make_tiny(), silent)


def test_the_command_tells_first_what_the_cases_hold(make_tiny, own_cases, tmp_path, capsys):
    settings = tmp_path / "config.toml"
    settings.write_text(
        '[data]\ndatalist = "cases/datalist.json"\nspacing_mm = 1.0\npatch = [16, 16, 16]\n'
        'workers = 0\n[network]\nkind = "cnn"\nfeatures = 8\nstages = 2\ndepth = 1\n'
        '[run]\noutput = "run"\nsteps = 1\nthreads = 1\ndevice = "cpu"\n'
        "log_every = 1\nprogress_s = 0\n"
    )
    assert main(["train", str(settings)]) == 0
    told = capsys.readouterr()
    assert told.out.strip().endswith("teacher.safetensors")
    assert "8 cases; 8 patients, 2 centers, 8 aneurysms" in told.err.split("Preparing")[0]
    assert "secret" not in told.err
    assert main(["train", str(settings)]) == 0  # has ended, and is not examined again
    assert "8 patients" not in capsys.readouterr().err


def test_the_command_refuses_a_case_by_its_reason(make_tiny, own_cases, tmp_path, capsys):
    relabel(own_cases.parent / "case2-label.nrrd", lambda array: array * 3)
    settings = tmp_path / "config.toml"
    settings.write_text(
        '[data]\ndatalist = "cases/datalist.json"\n[run]\noutput = "run"\ndevice = "cpu"\n'
    )
    assert main(["train", str(settings)]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ") and "case2-label.nrrd" in error
    assert not (tmp_path / "run" / "cache").exists()


def test_exchanged_labels_stop_a_new_run_until_somebody_says_yes(
    make_tiny, own_cases, tmp_path, capsys
):
    document = json.loads(own_cases.read_text())
    own_cases.write_text(json.dumps({**document, "labels": {"vessel": [2], "aneurysm": [1]}}))
    settings = tmp_path / "config.toml"
    settings.write_text(
        '[data]\ndatalist = "cases/datalist.json"\nspacing_mm = 1.0\npatch = [16, 16, 16]\n'
        'workers = 0\n[network]\nkind = "cnn"\nfeatures = 8\nstages = 2\ndepth = 1\n'
        '[run]\noutput = "run"\nsteps = 1\nthreads = 1\ndevice = "cpu"\nlog_every = 1\n'
    )
    assert main(["train", str(settings)]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "of 8 cases with both labels have more aneurysm" in error
    assert "start again with --yes" in error
    assert not (tmp_path / "run" / "cache").exists()
    config = on(make_tiny(run={"steps": 1}), own_cases, tmp_path / "script")
    with pytest.raises(UserError, match=r"more aneurysm .* accept_labels = true"):
        train(config, silent)
    assert main(["train", str(settings), "--yes"]) == 0
    assert "Check the labels: " in capsys.readouterr().err
    assert main(["train", str(settings), "--set", "run.steps=2"]) == 0  # it was accepted
    lines: list[str] = []
    accepted = replace(config, data=replace(config.data, accept_labels=True))
    assert train(accepted, lines.append).finished
    assert any(line.startswith("Warning: ") and "more aneurysm" in line for line in lines)


def test_cases_are_told_by_their_places_in_the_list(make_tiny, own_cases, tmp_path):
    """Also where cases before them are for a test; and all that cannot be used are told at once."""
    mark(own_cases, case0={"use": "test"})
    shutil.copy(own_cases.parent / "case3.nrrd", own_cases.parent / "case6.nrrd")
    split = split_by_patient(find_cases(own_cases), (), 0.25, 0)
    reporter, lines = RunReporter(tmp_path, lambda line: lines.append(line), 0.0), list[str]()
    describe(split, True, reporter, bool)
    assert any(line.startswith("Cases 4, 7 have the same voxels") for line in lines)
    assert "Cases of the list that are left out: 1 for a test." in lines
    for number in (2, 5):
        (own_cases.parent / f"case{number}.nrrd").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"1 more cannot be used\.") as caught:
        describe(split, True, reporter, bool)
    told = str(caught.value) + caught.value.table[0]
    assert "case2.nrrd" in told and "case5.nrrd" in told


@pytest.mark.filterwarnings("error:.*is neither vessel nor aneurysm")
def test_segments_that_are_neither_are_told_once(make_tiny, own_cases, tmp_path):
    image = sitk.ReadImage(str(own_cases.parent / "case0-label.nrrd"))
    image[0, 0, 0] = 3
    for number, name in enumerate(("Artery", "Aneurysm", "Skull")):
        image.SetMetaData(f"Segment{number}_Name", name)
        image.SetMetaData(f"Segment{number}_LabelValue", str(number + 1))
    sitk.WriteImage(image, str(own_cases.parent / "case0.seg.nrrd"))
    mark(own_cases, case0={"label": "case0.seg.nrrd"})
    lines: list[str] = []
    assert train(
        on(make_tiny(run={"steps": 1}), own_cases, tmp_path / "run"), lines.append, summarize=True
    )
    assert sum("'Skull'" in line for line in lines) == 1


def test_ignored_voxels_train_and_validate(make_tiny, own_cases, tmp_path, monkeypatch):
    """What lies under them changes no number of a run, and without them nobody asks for them."""
    for number in range(8):
        path = own_cases.parent / f"case{number}-label.nrrd"
        relabel(path, lambda array: np.where(np.indices(array.shape)[0] < 12, 3, array))
    document = json.loads(own_cases.read_text())
    says = {"ignore": 3, "vessel": 1, "aneurysm": 2}
    own_cases.write_text(json.dumps({**document, "labels": says}))
    config = make_tiny(run={"steps": 3, "validate_every": 1})
    assert train(on(config, own_cases, tmp_path / "ignoring"), silent).finished
    rows = numbers(on(config, own_cases, tmp_path / "ignoring"))
    assert all(row["skipped"] == "0" for row in rows if row["skipped"])

    def fail(*arguments):
        raise AssertionError("there is nothing to ignore")

    monkeypatch.setattr("gsema_core.losses.dice_ce.DiceCELoss.with_ignored", fail)
    assert train(replace(config, run=replace(config.run, output=tmp_path / "all")), silent).finished
    with pytest.raises(AssertionError, match="nothing to ignore"):
        train(on(config, own_cases, tmp_path / "again"), silent)


class Entropy:
    """A loss from outside that knows nothing of ignored voxels."""

    def __call__(self, logits, labels):
        return torch.nn.functional.cross_entropy(logits, labels[:, 0].long())


def test_a_loss_that_cannot_leave_voxels_out_is_refused_before_the_first_step(
    make_tiny, own_cases, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "own_losses", SimpleNamespace(Entropy=Entropy))
    config = make_tiny(
        data={"validation_share": 0.0},
        run={"steps": 1},
        method={"segmentation_loss": "own_losses:Entropy"},
    )
    assert train(config, silent).finished
    relabel(own_cases.parent / "case7-label.nrrd", lambda array: np.where(array == 2, 3, array))
    says = {"ignore": 3, "vessel": 1, "aneurysm": 2}
    own_cases.write_text(json.dumps({**json.loads(own_cases.read_text()), "labels": says}))
    config = on(config, own_cases, tmp_path / "ignoring")
    with pytest.raises(UserError, match="loss Entropy cannot leave voxels out"):
        train(config, silent)
    assert not (config.run.output / "checkpoint.pt").exists()
