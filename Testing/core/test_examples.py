"""The examples of parts of one's own do what their page says, on smaller phantoms."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gsema_core.benchmark.rows import ROWS
from gsema_core.cli import main
from gsema_core.files import write_labels, write_volume
from gsema_core.simulation.acquisition import acquire
from gsema_core.simulation.centers import CENTERS
from gsema_core.simulation.phantom import make_phantom
from gsema_core.teachers import read_card

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PARTS = ("own_loss", "own_transform", "own_network", "own_preset")


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    cases = []
    for number, center in enumerate("ABAB"):
        image, labels = acquire(make_phantom(500 + number, 32.0, 0.8), CENTERS[center], 1, "light")
        names = {"image": f"image-{number}.nrrd", "label": f"label-{number}.nrrd"}
        write_volume(image, folder / names["image"])
        write_labels(labels, folder / names["label"])
        cases.append({"patient": f"phantom-{number}", "center": center, **names})
    (folder / "datalist.json").write_text(json.dumps({"cases": cases}))
    return folder


@pytest.fixture
def examples(phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the folder, which is the current one, with phantoms."""
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("__pycache__", "cases", "run"))
    shutil.copytree(phantoms, folder / "cases")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield folder
    for name in PARTS:
        sys.modules.pop(name, None)


def count_calls(monkeypatch: pytest.MonkeyPatch, kind: Any, method: str) -> list[int]:
    """How often a method of an imported class is called from now on."""
    calls: list[int] = []
    original = getattr(kind, method)

    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        return original(*arguments, **options)

    monkeypatch.setattr(kind, method, counted)
    return calls


def shorten(path: Path, steps: int) -> None:
    text = re.sub(r"^steps = \d+$", f"steps = {steps}", path.read_text(), flags=re.MULTILINE)
    path.write_text(re.sub(r"^\[data\]$", "[data]\nworkers = 0", text, flags=re.MULTILINE))


def test_a_training_with_every_part(
    examples: Path, phantoms: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    shorten(examples / "config.toml", 3)
    sys.path.append(str(examples))
    import own_loss  # type: ignore[import-not-found]
    import own_network  # type: ignore[import-not-found]
    import own_transform  # type: ignore[import-not-found]

    loss = count_calls(monkeypatch, own_loss.TverskyLoss, "forward")
    transform = count_calls(monkeypatch, own_transform.Washout, "apply_one")
    network = count_calls(monkeypatch, own_network.TinyUNet, "encode")
    assert main(["train", "config.toml"]) == 0
    assert len(transform) == 3, "probability = 1 in config.toml"
    assert len(loss) >= 6 and len(network) >= 6
    teacher = examples / "run" / "teacher.safetensors"
    card = read_card(teacher)
    assert card.network["kind"] == "own_network:TinyUNet"
    assert card.network["options"] == {"groups": 4}
    assert card.training["preset"] == "own_preset:CAREFUL"
    assert card.training["transform"] == ["paper", "own_transform:Washout"]
    assert card.training["segmentation_loss"] == "own_loss:TverskyLoss"
    assert card.training["options"]["own_loss:TverskyLoss"] == {"missed": 0.8}
    assert card.training["options"]["paper"] == {"strength": 0.5}
    assert card.training["alpha_aligned"] == 0.95
    capsys.readouterr()
    assert main(["teacher", "info", str(teacher)]) == 0
    assert "    own_loss:TverskyLoss\n" in capsys.readouterr().out

    line = ["segment", "cases/image-0.nrrd", "--output", "found.seg.nrrd", "--device", "cpu"]
    line += ["--teacher", str(teacher), "--quiet"]
    assert main(line) == 2
    assert "--network own_network:TinyUNet" in capsys.readouterr().err
    assert main([*line, "--network", "own_network:TinyUNet"]) == 0
    assert (examples / "found.seg.nrrd").is_file()
    line = [
        "teacher",
        "score",
        str(teacher),
        "cases/datalist.json",
        "--output",
        "scored.safetensors",
    ]
    line += ["--network", "own_network:TinyUNet", "--device", "cpu"]
    assert main(line) == 0
    assert read_card("scored.safetensors").network["kind"] == "own_network:TinyUNet"


@pytest.mark.slow
def test_a_benchmark_with_a_row_of_ones_own(examples: Path) -> None:
    shorten(examples / "benchmark.toml", 2)
    line = "benchmark cases/datalist.json --config benchmark.toml --rows gs_ema_bacl,tversky"
    assert main([*line.split(), "--output", "out", "--simulated", "--no-figures"]) == 0
    assert "GS-EMA + Tversky" in (examples / "out" / "table.md").read_text()
    with (examples / "out" / "table.csv").open() as file:
        assert {row["row"] for row in csv.DictReader(file)} == {"gs_ema_bacl", "tversky"}
    for row, loss in (("gs_ema_bacl", "dice_ce"), ("tversky", "own_loss:TverskyLoss")):
        card = read_card(f"out/cells/A/{row}-seed0/teacher.safetensors")
        assert card.training["segmentation_loss"] == loss


def test_a_typo_in_an_example_is_told(examples: Path, capsys: Any) -> None:
    config = (examples / "config.toml").read_text()
    for right, wrong, told in (
        ("missed = 0.8", "mised = 0.8", "own_loss:TverskyLoss has no option 'mised': use one of m"),
        ("strongest = 0.6", "strongest = true", "strongest of the transform .* give a number"),
        ("own_preset:CAREFUL", "own_preset:CARFUL", r"own_preset\.py has no CARFUL"),
        ("own_network:TinyUNet", "own_networks:TinyUNet", "cannot be imported"),
        ('losses."own_loss', 'losses."own_los', "is of none of the losses"),
        ("groups = 4", "group = 4", "has no option 'group': use one of groups"),
    ):
        assert right in config
        (examples / "config.toml").write_text(config.replace(right, wrong))
        assert main(["train", "config.toml"]) == 2
        assert re.search(told, capsys.readouterr().err)
    assert not (examples / "run" / "cache").exists()


def test_the_page_lists_every_file() -> None:
    page = (EXAMPLES / "README.md").read_text()
    files = {path.name for path in EXAMPLES.iterdir() if path.is_file()}
    assert {name for name in files if f"`{name}`" in page} == files - {"README.md"}
    for path in EXAMPLES.glob("own_*.py"):
        assert 15 <= len(path.read_text().splitlines()) <= 60, path


@pytest.mark.slow
def test_the_papers_table_in_miniature(examples):
    """With the settings and the rows of `make table1`, for two steps; one phantom is unseen."""
    datalist = Path("cases", "datalist.json")
    cases = json.loads(datalist.read_text())["cases"]
    unseen = {kind: shutil.copy(f"cases/{cases[0][kind]}", f"cases/unseen-{kind}.nrrd")
              for kind in ("image", "label")}  # fmt: skip
    cases.append({"patient": "unseen", **{k: Path(v).name for k, v in unseen.items()}})
    cases = [{**case, "center": center} for case, center in zip(cases, "AACCB", strict=True)]
    datalist.write_text(json.dumps({"cases": cases}))
    makefile = (EXAMPLES.parent / "Makefile").read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^TABLE1 := (.*)$", makefile, re.MULTILINE)
    line = line.replace("runs/table1/cases", "cases").replace("runs/table1/", "")
    arguments = line.replace("examples/", "").replace("--steps 300", "--steps 2").split()
    assert main(["benchmark", *arguments, "--no-figures"]) == 0
    with Path("benchmark", "table.csv").open() as file:
        rows = [row["row"] for row in csv.DictReader(file)]
    assert rows == [name for name, row in ROWS.items() if not row.external]
    page = Path("benchmark", "table.md").read_text()
    assert "Kendall's tau" in page and "Not decided (patients: 1)" in page
