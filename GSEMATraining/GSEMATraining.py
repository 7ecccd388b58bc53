"""Train a GS-EMA teacher further on labelled scans of one's own site."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _, translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

# In a source checkout each module has its own folder, and this one needs its neighbor's library.
_neighbor = Path(__file__).resolve().parents[1] / "GSEMASegmentation"
if _neighbor.is_dir() and str(_neighbor) not in sys.path:
    sys.path.append(str(_neighbor))

from GSEMASegmentationLib.panels.InstallationPanel import InstallationPanel  # noqa: E402
from GSEMASegmentationLib.panels.ModuleIcon import moduleIcon  # noqa: E402
from GSEMATrainingLib.cases.CaseExport import exportSceneCase, numbered, writeDatalist  # noqa: E402
from GSEMATrainingLib.cases.SceneCases import (  # noqa: E402
    ScenePair,
    guessedLabels,
    sceneCase,
)
from GSEMATrainingLib.cases.TrainingCase import TrainingCase  # noqa: E402
from GSEMATrainingLib.panels.CasesPanel import CasesPanel  # noqa: E402
from GSEMATrainingLib.panels.ResultPanel import ResultPanel  # noqa: E402
from GSEMATrainingLib.panels.StartPanel import StartPanel  # noqa: E402
from GSEMATrainingLib.panels.TrainPanel import TrainPanel  # noqa: E402
from GSEMATrainingLib.run.RunWatch import RunView  # noqa: E402
from GSEMATrainingLib.run.TrainingChoices import TrainingChoices  # noqa: E402
from GSEMATrainingLib.TrainingLogic import GSEMATrainingLogic  # noqa: E402

from gsema_core.errors import UserError  # noqa: E402


class GSEMATraining(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        parent.title = _("Aneurysm Training (GS-EMA)")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["Firstname Lastname (Organization)"]
        parent.helpText = _(
            "Trains a model of Aneurysm Segmentation further on labelled scans of your own: add "
            "the cases, choose what to start from, press Train, and see on cases that were kept "
            "out whether it got better. The training runs in a process of its own, also while "
            "Slicer is closed. For research use; not a medical device."
        )
        parent.acknowledgementText = _(
            "The method is GS-EMA: Lin et al., gradient surgery exponential moving average with "
            "boundary-aware contrastive learning for domain generalization in aneurysm "
            "segmentation."
        )
        if (icon := moduleIcon(parent.path)) is not None:
            parent.icon = icon


class GSEMATrainingWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: it shows and asks, the logic works; its sections are in the Lib."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: GSEMATrainingLogic | None = None
        self._parameterNode: Any = None
        self._guiTag: int | None = None

    def setup(self) -> None:
        super().setup()
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/GSEMATraining.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = GSEMATrainingLogic()
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        update = self._updatePanel
        self.cases = CasesPanel(self.ui, update, self.logic.command)
        self.start = StartPanel(self.ui, update)
        self.installation = InstallationPanel(self.ui, update)
        ensure = self.installation.ensure
        self.result = ResultPanel(self.ui, self.logic, ensure, self._onTeachers)
        self.train = TrainPanel(
            self.ui, self.logic, self._casesNow, self._choicesNow, ensure, self._onLook, update
        )
        self.initializeParameterNode()
        self.train.attach()

    def cleanup(self) -> None:
        """Called when the module is reloaded or the application closes; a training goes on."""
        self.train.stop()
        self.logic.close()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        self.start.refresh()
        self.result.refreshTeachers()
        self.installation.refresh()
        self.initializeParameterNode()
        self.train.attach()

    def exit(self) -> None:
        """The training goes on, and is watched, while another module is shown."""

    def onSceneStartClose(self, caller: Any, event: str) -> None:
        self.logic.cancelPreparation()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller: Any, event: str) -> None:
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameterNode: Any) -> None:
        """Bind the panel to these parameters; None unbinds it."""
        modified = vtk.vtkCommand.ModifiedEvent
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode, modified, self._onParameters)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._guiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, modified, self._onParameters)
        self.cases.setParameterNode(parameterNode)
        self._updatePanel()

    def _casesNow(self) -> tuple[list[TrainingCase], Any]:
        return self.cases.cases, self.cases.nodesOf

    def _choicesNow(self) -> TrainingChoices:
        if self._parameterNode is None:
            raise UserError(_("The scene is being closed: try again."))
        return self.start.choices(self._parameterNode)

    def _onLook(self, view: RunView) -> None:
        if view.isRunning and view.status is not None:
            self.start.rememberPace(view.status)
        self.result.look(view)

    def _onTeachers(self, name: str) -> None:
        """A teacher came or went: every list of them shows it at once."""
        self.start.refresh()
        segmentation = getattr(slicer.modules, "GSEMASegmentationWidget", None)
        if segmentation is not None:
            segmentation.teachers.refresh()
        self._updatePanel()

    def _onParameters(self, caller: Any = None, event: str = "") -> None:
        self.cases.refresh()
        self._updatePanel()

    def _updatePanel(self) -> None:
        """Show what is chosen, and enable what can be used now."""
        self.start.showTime(self._parameterNode)
        self.train.update()


class GSEMATrainingTest(ScriptedLoadableModuleTest):
    """Run by Slicer's test runner, and here by the harness; starts no training."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def test_aCaseOfTheSceneIsWrittenWithoutItsName(self) -> None:
        volume, segmentation = _sphere("Doe^Jane")
        volume.SetAttribute("DICOM.instanceUIDs", "1.2.3.4")
        labels = guessedLabels([ScenePair(volume, segmentation, "")])
        case = sceneCase(volume, segmentation, labels, "Doe^Jane", "here")
        self.assertEqual((case.problem, case.aneurysms), ("", 1))
        with tempfile.TemporaryDirectory() as folder:
            (one,) = numbered([case])
            exportSceneCase(case, volume, segmentation, Path(folder), one.stem)
            writeDatalist([one], Path(folder))
            content = b"".join(path.read_bytes() for path in Path(folder).iterdir())
            self.assertNotIn(b"Doe", content)
            self.assertNotIn(b"1.2.3.4", content)
            entry = json.loads((Path(folder) / "datalist.json").read_text())["cases"][0]
            self.assertEqual((entry["patient"], entry["center"]), ("001", "here"))

    def test_choicesBecomeAConfiguration(self) -> None:
        choices = TrainingChoices(teacher="", length=7, unit="steps", name="mine")
        tables = choices.tables()
        self.assertEqual((tables["run"]["steps"], tables["run"]["name"]), (7, "mine"))
        with self.assertRaisesRegex(UserError, "not plain"):
            TrainingChoices(teacher="", name="../mine").tables()


def _sphere(name: str) -> tuple[Any, Any]:
    """A volume with a segmentation whose only segment is an aneurysm."""
    k, j, i = np.meshgrid(*[np.arange(20) - 9.5] * 3, indexing="ij")
    inside = (k**2 + j**2 + i**2 < 36).astype(np.uint8)
    volume = slicer.util.addVolumeFromArray(inside * 100.0, name=name)
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segmentId = segmentation.GetSegmentation().AddEmptySegment("", "Aneurysm")
    slicer.util.updateSegmentBinaryLabelmapFromArray(inside, segmentation, segmentId, volume)
    return volume, segmentation
