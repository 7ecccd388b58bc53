"""A simulated angiography to try the module with, made on this computer in a process of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.install.CorePackage import pythonExecutable
from GSEMASegmentationLib.scene.VolumeFiles import readVolume
from GSEMASegmentationLib.worker.CoreCommand import CoreCommand, ignoreLine
from GSEMASegmentationLib.worker.Waiting import waitFor

NAME = "3DRA phantom with aneurysm"
NODE_NAME = "3DRA phantom"
ADDRESS = "gsema:3dra-phantom"
"""Not on any network: ``fileOfSample`` makes what it stands for."""
SEED = 12
"""Its aneurysm is large enough to be seen at first sight."""
FIELD_MM = 56.0
FILE_NAME = f"gsema-3dra-phantom-{SEED}.nrrd"

PROGRAM = """
import sys
from gsema_core.simulation.acquisition import acquire
from gsema_core.simulation.centers import CENTERS
from gsema_core.simulation.phantom import make_phantom
from gsema_core.files import write_volume
path, seed, field = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
labels = make_phantom(seed, size_mm=field)
image, _ = acquire(labels, CENTERS["D"], seed=seed, model="light")
write_volume(image, path)
"""


class SampleScan:
    """Makes the volume once; ``onDone`` gets the node, or None and a sentence.

    Only what Slicer brings is needed: numpy, scipy and SimpleITK.
    """

    def __init__(self, onDone: Callable[[Any, str], None]) -> None:
        self._onDone = onDone
        self._command: CoreCommand | None = None

    @property
    def isRunning(self) -> bool:
        return self._command is not None

    def start(self) -> None:
        """Begin; returns at once."""
        folder = Path(tempfile.mkdtemp(prefix="gsema-", dir=slicer.app.temporaryPath))
        path = folder / "phantom.nrrd"
        self._command = _command(path, lambda text: self._onMade(path, text))
        self._command.start()

    def stop(self) -> None:
        """End it without a volume."""
        if self._command is not None:
            self._onDone = lambda node, message: None
            self._command.stopAndWait()

    def _onMade(self, path: Path, problem: str) -> None:
        self._command = None
        node = None if problem else _load(path)
        shutil.rmtree(path.parent, ignore_errors=True)
        self._onDone(node, _failure(problem) if node is None else "")


def _command(path: Path, onDone: Callable[[str], None]) -> CoreCommand:
    command = [pythonExecutable(), "-c", PROGRAM, str(path), str(SEED), str(FIELD_MM)]
    return CoreCommand(command, ignoreLine, onDone)


def _failure(reason: str) -> str:
    return _("The sample could not be made ({reason}).").format(reason=reason)


def makeSample() -> Any:
    """Make the sample and wait for it; the application stays responsive.

    Raises:
        UserError: it could not be made.
    """
    kept: list[SampleScan] = []  # while its process runs

    def start(onDone: Callable[[tuple[Any, str]], None]) -> None:
        kept.append(SampleScan(lambda *result: onDone(result)))
        kept[0].start()

    node, message = waitFor(start)
    if node is None:
        raise UserError(message)
    return node


def registerSample(thumbnail: Path) -> bool:
    """Offer the sample in the Sample Data module, where that is there."""
    try:
        import SampleData
    except ImportError:
        return False
    logic = SampleData.SampleDataLogic
    logic.registerUrlRewriteRule("GSEMASegmentation", fileOfSample)
    logic.registerCustomSampleDataSource(
        category=_("Aneurysm Segmentation"),
        sampleName=NAME,
        # For scripts, which know no custom downloader; the button calls ours.
        uris=[ADDRESS],
        fileNames=[FILE_NAME],
        nodeNames=[NODE_NAME],
        loadFileTypes=["VolumeFile"],
        thumbnailFileName=str(thumbnail),
        customDownloader=_onSampleDataButton,
    )
    return True


def fileOfSample(address: str) -> str:
    """A rule of the Sample Data module's: our address becomes that of a file, made where it lacks.

    The file stays in Slicer's cache of downloads, which its settings clear.

    Raises:
        RuntimeError: it could not be made; ValueError would be swallowed there.
    """
    if address != ADDRESS:
        return address
    folder = Path(slicer.mrmlScene.GetCacheManager().GetRemoteCacheDirectory())
    path = folder / f"made-{FILE_NAME}"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"partial-{FILE_NAME}"
        kept: list[CoreCommand] = []  # while its process runs

        def start(onDone: Callable[[str], None]) -> None:
            kept.append(_command(partial, onDone))
            kept[0].start()

        if problem := waitFor(start):
            raise RuntimeError(_failure(problem))
        partial.replace(path)
    return path.as_uri()


def _onSampleDataButton(source: Any) -> Any:
    with slicer.util.tryWithErrorDisplay(_("The sample could not be made.")):
        return makeSample()


def _load(path: Path) -> Any:
    """The volume without a link to a file that goes away."""
    read = slicer.vtkMRMLScalarVolumeNode()
    if not readVolume(path, read):
        return None
    name = slicer.mrmlScene.GenerateUniqueName(_(NODE_NAME))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.CopyOrientation(read)
    node.SetAndObserveImageData(read.GetImageData())
    node.CreateDefaultDisplayNodes()
    if slicer.app.layoutManager() is not None:
        slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node
