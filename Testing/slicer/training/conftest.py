"""The training panel with a ``gsema`` that trains nothing, and labelled scans of the scene."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FAKE = Path(__file__).with_name("fake_training.py")


@pytest.fixture
def fake() -> Callable[[str], list[str]]:
    """The command of a fake ``gsema``, by its mode (see fake_training.py)."""
    return lambda mode: [sys.executable, str(FAKE), mode]


@pytest.fixture
def panel(
    scene: Any,
    training_module: Any,
    teachers: Path,
    tiny_teacher: Path,
    fake: Callable[[str], list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """The opened panel, about to train in ``tmp_path/run``; a training left over is ended."""
    import slicer
    import slicer.util

    slicer.app.userSettings().clear()
    monkeypatch.setenv("FAKE_TEACHER", str(tiny_teacher))
    from GSEMATrainingLib.panels import DoublePress

    monkeypatch.setattr(DoublePress, "SECONDS", -1.0)  # tests press faster than people
    shown: list[str] = []
    for name in ("errorDisplay", "infoDisplay"):
        monkeypatch.setattr(slicer.util, name, lambda text, *more, **named: shown.append(text))
    module = slicer.modules.gsematraining
    widget = module.widgetRepresentation()
    widget.enter()
    opened = widget.self()
    opened.shown = shown
    opened.use = lambda mode: _use(opened, fake(mode))
    opened.use("quick")
    opened.ui.runFolderPathLineEdit.currentPath = str(tmp_path / "run")
    yield opened
    folder = opened.train.folder
    if folder.isRunning:
        folder.stop()
        process = opened.logic.processIn(folder.path)
        if process is not None:
            process._process.wait(20)
    widget.exit()
    module.closeWidget()


def _use(panel: Any, command: list[str]) -> None:
    panel.logic.command = command
    panel.cases.reader.command = command


@pytest.fixture
def make_case(make_balls: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """A volume of the scene with a segmentation of its two balls."""
    import slicer
    import slicer.util

    def make(
        name: str = "balls",
        segments: tuple[str, str] = ("Vessel", "Aneurysm"),
        matrix: np.ndarray | None = None,
    ) -> tuple[Any, Any]:
        volume = make_balls(name=name) if matrix is None else make_balls(matrix, name=name)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{name} labels")
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        array = slicer.util.arrayFromVolume(volume)
        for segment, mask in zip(segments, (array == 100, array == 200), strict=True):
            segment_id = node.GetSegmentation().AddEmptySegment("", segment)
            slicer.util.updateSegmentBinaryLabelmapFromArray(
                mask.astype(np.uint8), node, segment_id, volume
            )
        return volume, node

    return make


@pytest.fixture
def datalist(tmp_path: Path) -> Path:
    """A list of four small cases of four patients, with real files."""
    import SimpleITK as sitk

    folder = tmp_path / "site"
    folder.mkdir()
    rng = np.random.default_rng(0)
    cases = []
    for number in range(4):
        labels = np.zeros((20, 20, 20), np.uint8)
        labels[5:15, 5:15, 5:15] = 1
        labels[8:12, 8:12, 8:12] = 2
        scan = sitk.GetImageFromArray((labels * 100 + rng.normal(0, 9, labels.shape)).astype("i2"))
        scan.SetMetaData("PatientName", f"Muster^Max{number}")
        sitk.WriteImage(scan, str(folder / f"scan-{number}.nrrd"))
        sitk.WriteImage(sitk.GetImageFromArray(labels), str(folder / f"label-{number}.nrrd"))
        cases.append(
            {
                "patient": f"Muster^Max{number}",
                "center": "Clinic",
                "image": f"scan-{number}.nrrd",
                "label": f"label-{number}.nrrd",
            }
        )
    path = folder / "datalist.json"
    path.write_text(json.dumps({"cases": cases}))
    return path


@pytest.fixture
def add_cases(panel: Any, datalist: Path, spin: Callable[..., None]) -> Callable[[], None]:
    """Put the four cases of the list into the table."""

    def add() -> None:
        panel.cases.addPath(str(datalist))
        spin(lambda: not panel.cases.reader.isRunning)
        assert len(panel.cases.cases) == 4

    return add


@pytest.fixture
def begin(
    panel: Any, add_cases: Callable[[], None], spin: Callable[..., None]
) -> Callable[[str], None]:
    """Begin a training of the four cases, in a mode of the fake; returns when it runs or ended."""

    def start(mode: str) -> None:
        panel.use(mode)
        if not panel.cases.cases:
            add_cases()
        assert panel.ui.trainButton.enabled, panel.ui.trainButton.toolTip
        panel.ui.trainButton.click()
        spin(lambda: not panel.logic.isPreparing, 60)
        spin(lambda: _looked(panel).status is not None or bool(panel.train.view.problem), 60)

    return start


def _looked(panel: Any) -> Any:
    panel.train.watch.look()
    return panel.train.view


@pytest.fixture
def look(panel: Any) -> Callable[[], Any]:
    """What the panel sees in the run's folder now, shown at once."""
    return lambda: _looked(panel)


@pytest.fixture
def trained(
    panel: Any,
    begin: Callable[[str], None],
    look: Callable[[], Any],
    spin: Callable[..., None],
) -> Callable[..., Any]:
    """Run a training to its end and its comparison, in a mode of the fake; returns the folder."""

    def train(mode: str = "quick") -> Any:
        begin(mode)
        spin(lambda: look().isFinished and not panel.logic.isComparing, 60)
        return panel.train.folder

    return train
