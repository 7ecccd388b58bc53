"""The running harness, a clean scene for each test, volumes of a known shape, and fake workers."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

TESTING = Path(__file__).resolve().parents[1]
ROOT = TESTING.parent

# Only for this import: the package slicer adopts every folder of its name on the path, and there
# is one right here.
sys.path.insert(0, str(TESTING))
from slicer_harness import Harness, boot, missing_libraries  # noqa: E402

sys.path.remove(str(TESTING))


@pytest.fixture(scope="session")
def harness() -> Harness:
    missing = missing_libraries()
    if missing:
        pytest.skip(f"system libraries are missing: {', '.join(missing)}")
    return boot()


@pytest.fixture
def scene(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty scene; an exception in a slot or observer fails the test that caused it."""
    errors: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: errors.append(error))
    harness.core.scene.Clear()
    yield harness.core.scene
    harness.return_to_loop()
    assert not errors, f"raised in a callback: {errors}"


@pytest.fixture(scope="session")
def segmentation_module(harness: Harness) -> ModuleType:
    from slicer_harness.loader import load_module

    return load_module(ROOT / "GSEMASegmentation" / "GSEMASegmentation.py")


@pytest.fixture(scope="session")
def training_module(harness: Harness) -> ModuleType:
    from slicer_harness.loader import load_module

    return load_module(ROOT / "GSEMATraining" / "GSEMATraining.py")


@pytest.fixture
def fake_worker() -> Callable[[str], list[str]]:
    """The command of a fake worker, by its mode (see fake_worker.py)."""
    script = Path(__file__).with_name("fake_worker.py")
    return lambda mode: [sys.executable, str(script), mode]


@pytest.fixture
def make_logic(
    scene: Any, segmentation_module: ModuleType, fake_worker: Callable[[str], list[str]]
) -> Iterator[Callable[[str], Any]]:
    """Logics with fake workers; afterwards no process and no temporary file may be left."""
    logics: list[Any] = []

    def make(mode: str) -> Any:
        logics.append(segmentation_module.GSEMASegmentationLogic(workerCommand=fake_worker(mode)))
        return logics[-1]

    yield make
    for logic in logics:
        pid = logic._client.pid
        logic.stop()
        assert not logic._client.isRunning
        assert pid is None or is_gone(pid)
    assert temporary_folders() == []


@pytest.fixture(scope="session")
def tiny_teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher file whose network is tiny and knows nothing."""
    import torch

    from gsema_core.intensities import IntensityRule
    from gsema_core.networks import NetworkConfig, build_network
    from gsema_core.teachers import TeacherCard, save_teacher

    torch.manual_seed(0)
    config = NetworkConfig(kind="cnn", features=8, stages=2, depth=1)
    card = TeacherCard(
        name="tiny",
        network=config.to_dict(),
        spacing_mm=1.6,
        window=(32, 32, 32),
        intensity=IntensityRule().to_dict(),
    )
    path = tmp_path_factory.mktemp("teacher") / "tiny.safetensors"
    save_teacher(path, build_network(config), card)
    return path


@pytest.fixture
def teachers(tiny_teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny teacher as the bundled one; returns the (empty) folder of imported ones."""
    from gsema_core.teachers import registry

    monkeypatch.setattr(registry, "BUNDLED_TEACHER", tiny_teacher)
    folder = tmp_path / "teachers"
    monkeypatch.setattr(registry, "user_folder", lambda: folder)
    return folder


@pytest.fixture
def panel(
    scene: Any,
    segmentation_module: ModuleType,
    fake_worker: Callable[[str], list[str]],
    teachers: Path,
) -> Iterator[Any]:
    """The opened panel, its worker replaced by a fake one that finds what is there."""
    import slicer

    slicer.app.userSettings().clear()
    module = slicer.modules.gsemasegmentation
    widget = module.widgetRepresentation()
    widget.enter()
    opened = widget.self()
    opened.logic._client._command = fake_worker("good")
    yield opened
    widget.exit()
    module.closeWidget()
    assert temporary_folders() == []


@pytest.fixture
def settled(spin: Callable[..., None]) -> Callable[[Any], None]:
    """Wait until a panel neither segments nor measures."""

    def wait(panel: Any) -> None:
        line = panel.ui.editedLabel
        spin(lambda: not panel.logic.isRunning and "easuring" not in line.text, seconds=60)

    return wait


def temporary_folders() -> list[str]:
    import slicer

    return [path.name for path in Path(slicer.app.temporaryPath).glob("gsema-*")]


def is_gone(pid: int, seconds: float = 1.0) -> bool:
    """Whether there is no such process, or none any more after a while."""
    end = time.monotonic() + seconds
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Whether there is no process of this id now."""
    return lambda pid: is_gone(pid, seconds=0.0)


@pytest.fixture
def spin(harness: Harness) -> Callable[..., None]:
    """Run the event loop until something is so."""

    def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            harness.application.processEvents()
            time.sleep(0.005)

    return until


def rotation(axis: int, degrees: float) -> np.ndarray:
    a, b = [index for index in range(3) if index != axis]
    matrix, angle = np.eye(3), np.radians(degrees)
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    return matrix


def affine(directions: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """IJK to RAS in mm; the grid's middle (about voxel 30) lies near the world's origin."""
    matrix = np.eye(4)
    matrix[:3, :3] = directions * np.array(spacing)
    matrix[:3, 3] = -matrix[:3, :3] @ np.array([30.0, 28.0, 26.0]) + [3.0, -2.0, 5.0]
    return matrix


GEOMETRIES = {
    "plain": affine(np.eye(3), (0.8, 0.8, 0.8)),
    "flipped": affine(np.diag([-1.0, 1.0, -1.0]), (0.8, 0.8, 0.8)),
    "permuted": affine(np.eye(3)[[2, 0, 1]], (0.8, 0.8, 0.8)),
    "left-handed": affine(np.diag([1.0, 1.0, -1.0]), (0.8, 0.8, 0.8)),
    "anisotropic": affine(np.eye(3), (0.6, 0.8, 1.3)),
    "oblique": affine(
        rotation(0, 20) @ rotation(2, 33) @ np.diag([-1.0, -1.0, 1.0]), (0.7, 0.7, 0.9)
    ),
}


@pytest.fixture(params=sorted(GEOMETRIES))
def ijk_to_ras(request: pytest.FixtureRequest) -> np.ndarray:
    return GEOMETRIES[request.param]


@pytest.fixture
def make_balls(scene: Any) -> Callable[..., Any]:
    """A volume with two balls: vessel 100 at R 3, A -2, S 5 (8 mm); aneurysm 200 beside it (4 mm).

    With a parent transform the balls are at those places of the world all the same.
    """
    import slicer.util

    def make(
        matrix: np.ndarray = GEOMETRIES["plain"],
        parent: np.ndarray | None = None,
        name: str = "balls",
        softness: float = 0.0,
    ) -> Any:
        local_to_world = np.eye(4) if parent is None else parent
        k, j, i = np.meshgrid(*[np.arange(n) for n in (52, 56, 60)], indexing="ij")
        ijk = np.stack([i, j, k, np.ones_like(i)], axis=-1)
        ras = (ijk @ (local_to_world @ matrix).T)[..., :3]
        array = np.zeros(i.shape)
        for center, radius, value in ((VESSEL_CENTER, 8.0, 100), (ANEURYSM_CENTER, 4.0, 200)):
            depth = radius - np.linalg.norm(ras - center, axis=-1)
            inside = depth > 0 if softness == 0 else np.clip(depth / softness + 0.5, 0, 1)
            array = np.where(inside > 0, np.maximum(array, inside * value), array)
        node = slicer.util.addVolumeFromArray(array.astype(np.float32), matrix, name)
        if parent is not None:
            transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
            transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(parent))
            node.SetAndObserveTransformNodeID(transform.GetID())
        return node

    return make


VESSEL_CENTER = np.array([3.0, -2.0, 5.0])
ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])


@pytest.fixture
def world_centroid() -> Callable[[Any, str], np.ndarray]:
    """The mean position of a segment's voxels in the world's RAS coordinates, mm."""
    import slicer
    import slicer.util
    import vtk

    def centroid(node: Any, name: str) -> np.ndarray:
        segment_id = node.GetSegmentation().GetSegmentIdBySegmentName(name)
        image = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(segment_id, image)
        array = slicer.util.arrayFromSegmentInternalBinaryLabelmap(node, segment_id)
        value = node.GetSegmentation().GetSegment(segment_id).GetLabelValue()
        k, j, i = (axis.mean() for axis in np.nonzero(array == value))
        extent = image.GetExtent()
        image_to_local = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(image_to_local)
        local_to_world = vtk.vtkMatrix4x4()
        slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(
            node.GetParentTransformNode(), None, local_to_world
        )
        point = image_to_local.MultiplyPoint((i + extent[0], j + extent[2], k + extent[4], 1))
        return np.array(local_to_world.MultiplyPoint(point)[:3])

    return centroid


@pytest.fixture
def existing_segmentation(scene: Any) -> Callable[..., Any]:
    """A segmentation of somebody else, with one segment that overlaps both balls."""
    import slicer.util

    def make(volume: Any, segment_id: str = "bone", name: str = "Bone") -> tuple[Any, np.ndarray]:
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of a colleague")
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        node.GetSegmentation().AddEmptySegment(segment_id, name, (1.0, 1.0, 0.5))
        drawn = np.zeros(slicer.util.arrayFromVolume(volume).shape, np.uint8)
        drawn[20:40, 20:40, 20:45] = 1
        slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, segment_id, volume)
        return node, drawn

    return make
