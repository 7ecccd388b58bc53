"""``gsema train CONFIG --set NAME=VALUE``: what is taken, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.training import TrainingConfig
from gsema_core.training.assignments import known_names, read_assignments

FILE = """
preset = "paper"
[data]
datalist = "cases.json"
[optimization]
learning_rate = 1e-3
[transforms.paper]
strength = 0.5
[run]
output = "run"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    return path


def test_what_is_set_wins_over_the_file_and_the_rest_stays(file):
    config = TrainingConfig.from_toml(
        file, ["optimization.learning_rate=3e-4", "run.minutes=30", "data.centers=A,B"]
    )
    assert config.optimization.learning_rate == 3e-4
    assert (config.run.minutes, config.data.centers) == (30.0, ("A", "B"))
    assert config.transforms == {"paper": {"strength": 0.5}}
    assert config.preset_name == "paper" and config.run.output == file.parent / "run"


def test_parts_have_their_keywords_set(file):
    lines: list[str] = []
    config = TrainingConfig.from_toml(
        file, ["transforms.paper.strength=0.7", "transforms.paper.probability=0.5"], lines.append
    )
    assert config.transforms == {"paper": {"strength": 0.7, "probability": 0.5}}
    kind = ["network.kind=own_network:TinyUNet", "network.options.groups=4", "network.stages=3"]
    assert TrainingConfig.from_toml(file, kind).network.options == {"groups": 4}
    loss = ["method.segmentation_loss=own.loss:Tversky", "losses.own.loss:Tversky.missed=0.8"]
    assert TrainingConfig.from_toml(file, loss).losses == {"own.loss:Tversky": {"missed": 0.8}}
    assert not lines


def test_another_part_leaves_out_the_options_of_the_one_before_and_says_so(file):
    lines: list[str] = []
    config = TrainingConfig.from_toml(file, ["method.transform=gin"], lines.append)
    assert config.method.transform == ("gin",) and config.transforms == {}
    assert lines == ["--set leaves out [transforms.paper] of the file, which is not used then."]


def test_another_preset_leaves_out_what_its_own_transform_does_not_take(file):
    lines: list[str] = []
    config = TrainingConfig.from_toml(file, ["preset=code"], lines.append)
    assert config.method.transform == ("gin",) and config.transforms == {}
    assert lines == ["--set leaves out [transforms.paper] of the file, which is not used then."]
    # What the file says of its transform is kept where the preset has no other, or is overruled.
    assert TrainingConfig.from_toml(file, ["preset=default"]).transforms != {}
    both = TrainingConfig.from_toml(file, ["preset=code", "method.transform=paper"])
    assert both.transforms == {"paper": {"strength": 0.5}}


def test_a_preset_can_be_set(file, monkeypatch):
    config = TrainingConfig.from_toml(file, ["preset=mean_teacher"])
    assert config.method.alpha_conflict == 0.999 and config.optimization.learning_rate == 1e-3
    (file.parent / "mine.toml").write_text("[run]\nsteps = 7\n")
    monkeypatch.chdir(file.parent)
    assert TrainingConfig.from_toml(file, ["preset=mine.toml"]).run.steps == 7


def test_typed_paths_start_at_the_current_folder_and_those_of_the_file_at_its_own(
    file, tmp_path, monkeypatch
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    config = TrainingConfig.from_toml(file, ["run.output=second", "data.cache=prepared"])
    assert config.run.output == elsewhere / "second"
    assert config.data.cache == elsewhere / "prepared"
    assert config.data.datalist == tmp_path / "cases.json"
    assert TrainingConfig.from_toml(file, ["data.cache="]).data.cache == Path()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("run.steps", "has no value: write --set run.steps=VALUE"),
        ("learning_rate=1", r"names no setting \(did you mean optimization.learning_rate\?\)"),
        ("optimisation.warmup_steps=1", r"did you mean optimization.warmup_steps\?"),
        ("run.stpes=1", r"did you mean run.steps\?"),
        ("batchsize=2", r"did you mean run.batch_size\?"),
        ("transforms.paper=1", r"write transforms.NAME.KEYWORD"),
        ("qq=1", "names no setting: gsema settings train lists all of them"),
        ("run.steps=many", r"Setting steps in \[run\] is 'many': give a whole number"),
        ("run.steps=1e3", r"Setting steps in \[run\] is 1000.0: give a whole number"),
        ("run.minutes=-1", r"Setting minutes in \[run\] is -1: give a number from 0"),
        ("data.patch=64", r"Setting patch in \[data\] is \[64\]: give 3 whole numbers"),
        ("method.alpha_warmup=yes", "is 'yes': give true or false"),
        ("transforms.papr.strength=1", r"\[transforms.papr\] is of none of the transforms"),
        ("preset=papr", "The preset 'papr' is unknown"),
    ],
)
def test_what_cannot_be_set_is_one_sentence(file, text, sentence):
    with pytest.raises(UserError, match=sentence):
        TrainingConfig.from_toml(file, [text])


def test_a_setting_is_given_once():
    with pytest.raises(UserError, match=r"--set run\.steps is there twice"):
        read_assignments(["run.steps=1", "run.steps=2"])


def test_every_setting_can_be_set_to_what_it_is(file):
    """To its default as the page of settings prints it."""
    from gsema_core.configuration.settings_page import default_text
    from gsema_core.training.assignments import SECTIONS, settings_of

    texts = [
        f"{section}.{one.name}={'' if default_text(one) == 'empty' else default_text(one)}"
        for section, kind in SECTIONS.items()
        for one in settings_of(kind)
        if one.help and one.name not in ("datalist", "output")
    ]
    assert len(texts) == len(known_names()) - 3
    config = TrainingConfig.from_toml(file, ["preset=default", *texts])
    expected = TrainingConfig.preset("default", datalist="", output="").to_dict()
    found = config.to_dict()
    for section in SECTIONS:
        for name in ("datalist", "output"):
            found[section].pop(name, None), expected[section].pop(name, None)
        assert found[section] == expected[section]
