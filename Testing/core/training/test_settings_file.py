"""``gsema settings train CONFIG``: the settings as a file makes them, and where each comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from gsema_core.cli import main
from gsema_core.training import TrainingConfig
from gsema_core.training.part_keywords import Keyword, keywords_of
from gsema_core.training.settings_file import settings_of_file

ROOT = Path(__file__).resolve().parents[3]

FILE = """
preset = "paper"
[data]
datalist = "cases.json"
[run]
output = "run"
steps = 300
[transforms.paper]
strength = 0.5
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    return path


def test_every_setting_is_there_with_where_it_comes_from(file):
    chosen = ["optimization.learning_rate=3e-4", "transforms.paper.probability=0.5"]
    lines = [" ".join(line.split()) for line in settings_of_file(file, chosen, print)]
    for line in (
        "learning_rate = 0.0003 # --set",
        "steps = 300 # the file",
        'schedule = "step" # preset paper',
        "clip_norm = 12.0",
        "strength = 0.5 # the file",
        "probability = 0.5 # --set",
        "[transforms.paper]",
    ):
        assert line in lines


def test_a_preset_that_is_set_is_told_as_such(file):
    (file.parent / "mine.toml").write_text("[optimization]\nwarmup_steps = 7\n")
    chosen = [f"preset={file.parent / 'mine.toml'}"]
    lines = [" ".join(line.split()) for line in settings_of_file(file, chosen, print)]
    assert "warmup_steps = 7 # the file" in lines
    lines = [" ".join(line.split()) for line in settings_of_file(file, ["preset=code"], print)]
    assert 'preset = "code" # --set' in lines and 'optimizer = "adam" # preset code' in lines


def test_what_is_printed_is_a_file_of_the_same_training(file):
    printed = file.with_name("printed.toml")
    printed.write_text("\n".join(settings_of_file(file, ["run.minutes=30"], print)))
    expected = TrainingConfig.from_toml(file, ["run.minutes=30", "transforms.paper.probability=1"])
    assert TrainingConfig.from_toml(printed) == expected


def test_parts_of_ones_own_have_their_keywords_too(tmp_path):
    text = (ROOT / "examples" / "config.toml").read_text()
    for each in ("own_preset", "own_network", "own_transform", "own_loss"):
        (tmp_path / f"{each}.py").write_text((ROOT / "examples" / f"{each}.py").read_text())
    (tmp_path / "config.toml").write_text(text)
    lines = [
        " ".join(line.split()) for line in settings_of_file(tmp_path / "config.toml", [], print)
    ]
    assert '[transforms."own_transform:Washout"]' in lines and "strongest = 0.6 # the file" in lines
    assert '[losses."own_loss:TverskyLoss"]' in lines and "missed = 0.8 # the file" in lines
    assert "[network.options]" in lines and "groups = 4 # the file" in lines


def test_help_comes_from_the_docstring_of_the_class_or_of_its_base():
    class Base:
        """A base.

        Args:
            probability: of acting
                at all.
        """

    class Part(Base):
        """A part.

        Args:
            low, high: its limits.

        Raises:
            UserError: never.
        """

        def __init__(self, *, low: float, high: float = 2.0, probability: float = 1.0) -> None:
            pass

    low, high, probability = keywords_of(Part)
    assert (low.help, high) == ("its limits.", Keyword("high", 2.0, "its limits."))
    assert probability.help == "of acting at all."


def test_every_keyword_that_is_listed_can_be_set(file, capsys):
    """And nothing else: the list is what ``--set`` takes."""
    from gsema_core.transforms import build_transform
    from gsema_core.transforms.transform_factory import TRANSFORMS, find_transform

    file.write_text(FILE.partition("[transforms")[0])
    for name in TRANSFORMS:
        for each in keywords_of(find_transform(name)):
            assert each.help, f"{name}.{each.name}"
            one = [f"method.transform={name}", f"transforms.{name}.{each.name}={each.default}"]
            config = TrainingConfig.from_toml(file, one)
            build_transform(config.method.transform, config.transforms)


def test_the_command_prints_it(file, capsys):
    assert main(["settings", "train", str(file), "--set", "run.steps=7"]) == 0
    assert "steps = 7 " in capsys.readouterr().out
    assert main(["settings", "segment", str(file)]) == 2
    assert "are for gsema settings train CONFIG.toml" in capsys.readouterr().err
    assert main(["settings", "train", "--set", "run.steps=7"]) == 2
