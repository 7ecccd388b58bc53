"""Phantoms are made once, and take a share of the patches and of nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gsema_core.datasets import read_datalist
from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.datalist import Case
from gsema_core.datasets.patches import PatchDataset, PatchSampler
from gsema_core.errors import Cancelled
from gsema_core.simulation import make_phantom
from gsema_core.teachers import read_card
from gsema_core.training import train
from gsema_core.training.replay import TEST_CASES, make_replay
from gsema_core.training.run_reporter import RunReporter
from gsema_core.transforms import build_transform


def silent(line: str) -> None:
    pass


@pytest.fixture(autouse=True)
def small_phantoms(monkeypatch):
    monkeypatch.setattr(
        "gsema_core.simulation.many_cases.make_phantom", lambda seed: make_phantom(seed, 16.0, 0.8)
    )


def numbers(config) -> dict[str, torch.Tensor]:
    return torch.load(config.run.output / "checkpoint.pt", weights_only=True)["teacher"]


def test_makes_phantoms_for_training_and_others_for_testing_once(tmp_path, capsys):
    reporter = RunReporter(tmp_path, silent)
    cases = make_replay(tmp_path, 2, reporter, lambda: False)
    assert len(cases) == 2 and all(case.image.exists() for case in cases)
    listed = read_datalist(tmp_path / "replay" / "datalist.json")
    assert [case.use for case in listed].count("test") == TEST_CASES
    assert not {case.patient for case in cases} & {c.patient for c in listed if c.use == "test"}
    times = {case.image: case.image.stat().st_mtime_ns for case in listed}
    assert make_replay(tmp_path, 2, reporter, lambda: False) == cases
    assert {case.image: case.image.stat().st_mtime_ns for case in listed} == times
    assert capsys.readouterr().err == ""  # the run's reporter tells of them


def test_test_phantoms_stay_the_same_whatever_is_trained_on(tmp_path):
    def test_patients() -> set[str]:
        listed = read_datalist(tmp_path / "replay" / "datalist.json")
        return {case.patient for case in listed if case.use == "test"}

    reporter = RunReporter(tmp_path, silent)
    make_replay(tmp_path, 1, reporter, lambda: False)
    before = test_patients()
    assert len(make_replay(tmp_path, 3, reporter, lambda: False)) == 3
    assert test_patients() == before
    assert len(make_replay(tmp_path, 1, reporter, lambda: False)) == 1


def test_can_be_stopped_between_two_phantoms(tmp_path):
    with pytest.raises(Cancelled):
        make_replay(tmp_path, 1, RunReporter(tmp_path, silent), lambda: True)


@pytest.fixture
def make_dataset():
    """Patches of value 1 from the patients, of value 2 from replay."""

    def volume(value: float, center: str) -> CachedVolume:
        image = np.full((8, 8, 8), value, np.float16)
        none = np.zeros((0, 3), np.int32)
        case = Case("p", center, __file__, __file__)
        return CachedVolume(case, image, np.zeros((8, 8, 8), np.uint8), none, none)

    def make(**replay) -> PatchDataset:
        sampler = PatchSampler((8, 8, 8), 0.5, True)
        return PatchDataset(
            [volume(1.0, "A")] * 3, sampler, build_transform(("none",)), 4, 7, **replay
        )

    return lambda **values: make(
        **({"replay": [volume(2.0, "random")] * 2, **values} if values else {})
    )


def values(dataset: PatchDataset, steps: int) -> np.ndarray:
    return np.array([dataset[n].source_image.amax((1, 2, 3, 4)).tolist() for n in range(steps)])


def test_the_share_is_kept_and_drawn_by_step_number(make_dataset):
    dataset = make_dataset(replay_share=0.25)
    drawn = values(dataset, 200)
    assert (drawn == 2.0).mean() == pytest.approx(0.25, abs=0.05)  # 800 draws
    assert np.array_equal(values(make_dataset(replay_share=0.25), 200), drawn)
    assert dataset[150].source_image.amax((1, 2, 3, 4)).tolist() == drawn[150].tolist()


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (1.0, 2.0)])
def test_nothing_and_everything(make_dataset, share, value):
    assert (values(make_dataset(replay_share=share), 20) == value).all()


def test_a_run_with_replay_says_so_on_its_card(make_tiny):
    config = make_tiny(data={"replay_share": 0.5, "replay_cases": 2}, run={"steps": 2})
    card = read_card(train(config, silent).teacher)
    assert (card.training["replay_share"], card.training["replay_cases"]) == (0.5, 2)
    assert card.training["cases"] == 6
    assert card.training["centers"] == ["A", "B"]


def test_no_share_changes_nothing(make_tiny, tmp_path):
    config = make_tiny(run={"steps": 2})
    train(config, silent)
    other = replace(
        config,
        data=replace(config.data, replay_cases=3),
        run=replace(config.run, output=tmp_path / "other"),
    )
    train(other, silent)
    assert not (other.run.output / "replay").exists()
    expected, found = numbers(config), numbers(other)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
