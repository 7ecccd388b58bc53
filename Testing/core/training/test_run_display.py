"""What a run shows while it goes on, from small runs: pictures, curves, and what may fail."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace

import numpy as np
import pytest

from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.datalist import Case
from gsema_core.training import train
from gsema_core.training.curves import draw_curves
from gsema_core.training.run_display import choose_cases, is_kept
from gsema_core.training.run_files import pictures


@pytest.fixture
def without_curves() -> None:
    """Here they are drawn."""


def silent(line: str) -> None:
    pass


def volume(name: str, center: str, aneurysm: bool) -> CachedVolume:
    voxels = np.zeros((int(aneurysm), 3), np.int32)
    empty = np.zeros((2, 2, 2))
    return CachedVolume(Case(name, center, name, name), empty, empty, voxels, voxels)


def test_cases_are_chosen_by_aneurysms_and_centers_in_turn():
    kinds = [("a", "A", False), ("b", "A", True), ("c", "A", True), ("d", "A", True)]
    kinds += [("e", "B", True), ("f", "B", True)]
    volumes = [volume(*kind) for kind in kinds]
    listed = [Case(name, center, name, name) for name, center, _ in reversed(kinds)]  # d is 3
    chosen = choose_cases(volumes, listed, 4)
    assert {n: each.case.patient for n, each in chosen.items()} == {1: "f", 3: "d", 2: "e", 4: "c"}
    assert choose_cases(volumes[::-1], listed, 4) == chosen
    assert list(choose_cases(volumes, listed, 9)) == [1, 3, 2, 4, 5, 6]
    assert choose_cases(volumes, listed, 0) == {}


def test_newer_pictures_thin_the_older_ones_out():
    assert all(is_kept(n) for n in range(16))
    assert [n for n in range(16, 64) if is_kept(n)] == [*range(16, 32, 2), *range(32, 64, 4)]
    assert sum(is_kept(n) for n in range(10_000)) == 90


def test_every_validation_shows_the_same_cases_and_the_curves(make_tiny):
    config = make_tiny(run={"steps": 3, "validate_every": 2, "pictures": 1})
    said: list[str] = []
    train(config, said.append)
    found = pictures(config.run.output)
    assert list(found) == [2, 3]
    assert found[2].keys() == found[3].keys() and len(found[2]) == 1
    assert (config.run.output / "curves.png").is_file()
    longer = replace(config, run=replace(config.run, steps=4, pictures=0))
    train(longer, said.append)
    assert list(pictures(config.run.output)) == [2, 3]
    assert not any("goes on without" in line for line in said)


def test_pictures_of_steps_that_come_again_go(make_tiny):
    config = make_tiny(run={"steps": 2, "validate_every": 1, "pictures": 2})
    train(config, silent)
    checkpoint = config.run.output / "checkpoint.pt"
    before = checkpoint.read_bytes()
    longer = replace(config, run=replace(config.run, steps=3))
    train(longer, silent)
    assert list(pictures(config.run.output)) == [1, 2, 3]
    checkpoint.write_bytes(before)  # as after a crash
    train(replace(longer, run=replace(longer.run, pictures=0)), silent)
    assert list(pictures(config.run.output)) == [1, 2]


def test_tensorboard_has_the_pictures(make_tiny):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    config = make_tiny(run={"steps": 2, "validate_every": 1, "pictures": 1})
    train(config, silent)
    board = events.EventAccumulator(str(config.run.output / "tensorboard"))
    board.Reload()
    (tag,) = board.Tags()["images"]
    assert [event.step for event in board.Images(tag)] == [1, 2]
    assert tag == f"case {next(iter(pictures(config.run.output)[1]))}"


def test_without_matplotlib_one_sentence_says_how_to_get_it(make_tiny, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *more: None if name == "matplotlib" else find(name, *more),
    )
    config = make_tiny(run={"steps": 2, "validate_every": 1, "pictures": 2})
    said: list[str] = []
    assert train(config, said.append).finished
    assert sum('pip install "gsema_core[training]" brings matplotlib' in line for line in said) == 1
    assert not (config.run.output / "curves.png").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows opens no folder as a file")
def test_what_cannot_be_written_beside_the_run_is_told_once(make_tiny):
    """A file in the place of a folder, and folders in the place of files."""
    config = make_tiny(run={"steps": 2, "validate_every": 1, "pictures": 2})
    output = config.run.output
    output.mkdir()
    for name in ("pictures", "tensorboard"):
        (output / name).write_text("")
    for name in ("curves.png", "config-used.toml", "config.toml"):
        (output / name).mkdir()
    said: list[str] = []
    assert train(config, said.append).finished
    warned = [line for line in said if line.startswith("Warning")]
    assert len(warned) == len(set(warned)) == 4
    assert all(str(output) not in line and "goes on without" in line for line in warned)
    assert (output / "metrics.csv").is_file() and (output / "teacher.safetensors").is_file()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("numpy")])
def test_curves_that_fail_end_nothing_and_are_told_once(make_tiny, monkeypatch, error):
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("gsema_core.training.run_display.draw_curves", fail)
    said: list[str] = []
    config = make_tiny(run={"steps": 2, "validate_every": 1})
    assert train(config, said.append).finished
    reason = error.strerror if isinstance(error, OSError) else "ValueError"
    assert [line for line in said if line.startswith("Warning")] == [
        f"Warning: curves.png cannot be drawn ({reason}); the training goes on without."
    ]


def test_curves_take_a_small_share_of_the_time(make_tiny, monkeypatch):
    drawn: list[str] = []

    def draw(folder, title):
        drawn.append(title)
        return draw_curves(folder, title)

    monkeypatch.setattr("gsema_core.training.run_display.draw_curves", draw)
    train(make_tiny(run={"steps": 5, "validate_every": 1}), silent)
    assert drawn == ["local, step 1", "local, step 5"]


@pytest.mark.parametrize(("scope", "named"), [("all", False), ("decoder", True)])
def test_the_curves_name_a_gate_that_sees_the_decoder_only(make_tiny, monkeypatch, scope, named):
    titles: list[str] = []
    drawn = "gsema_core.training.run_display.draw_curves"
    monkeypatch.setattr(drawn, lambda folder, title: titles.append(title))
    train(make_tiny(method={"gate_scope": scope}, run={"steps": 1}), silent)
    assert titles and all(("gate of the decoder" in title) is named for title in titles)
