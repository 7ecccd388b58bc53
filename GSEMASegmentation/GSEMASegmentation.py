"""Segment cerebral aneurysms and their vessels in 3D rotational angiography."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from GSEMASegmentationLib.measure.MeasurementTable import tableOf
from GSEMASegmentationLib.panels.ClickPanel import ClickPanel
from GSEMASegmentationLib.panels.CoilsPanel import CoilsPanel
from GSEMASegmentationLib.panels.CorrectionPanel import CorrectionPanel
from GSEMASegmentationLib.panels.DevicePanel import DevicePanel
from GSEMASegmentationLib.panels.DeviceText import rememberRun
from GSEMASegmentationLib.panels.HardenPanel import HardenPanel
from GSEMASegmentationLib.panels.InstallationPanel import InstallationPanel
from GSEMASegmentationLib.panels.ModuleIcon import moduleIcon
from GSEMASegmentationLib.panels.NeckPanel import NeckPanel
from GSEMASegmentationLib.panels.ResultsPanel import ResultsPanel
from GSEMASegmentationLib.panels.RunLog import RunLog
from GSEMASegmentationLib.panels.RunPanel import RunPanel
from GSEMASegmentationLib.panels.SettingRows import SettingRows
from GSEMASegmentationLib.panels.Shortcuts import CLICK, NEXT, PREVIOUS, REDO, UNDO, Shortcuts
from GSEMASegmentationLib.panels.SurfacePanel import SurfacePanel
from GSEMASegmentationLib.panels.TeacherPanel import TeacherPanel
from GSEMASegmentationLib.panels.VolumePanel import VolumePanel
from GSEMASegmentationLib.panels.Widgets import showText
from GSEMASegmentationLib.scene.OwnSegmentation import OutputChoice
from GSEMASegmentationLib.scene.SegmentationOutput import importSegments
from GSEMASegmentationLib.scene.SegmentContent import segmentsOf
from GSEMASegmentationLib.scene.ViewHelpers import centerSlices, showAneurysm, showVessels
from GSEMASegmentationLib.scene.VolumeChoice import checkVolume, volumeJudgement
from GSEMASegmentationLib.scene.VoxelCheck import VoxelCheck
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic
from GSEMASegmentationLib.Startup import loadTerminology, offerInDataTree, offerSample
from GSEMASegmentationLib.worker.SegmentationJob import JobOutcome
from slicer.i18n import tr as _, translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

from gsema_core.errors import UserError
from gsema_core.terminology import CONTEXT_NAME


class GSEMASegmentation(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        if (icon := moduleIcon(parent.path)) is not None:
            parent.icon = icon
        parent.title = _("Aneurysm Segmentation (GS-EMA)")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["Firstname Lastname (Organization)"]
        parent.helpText = _(
            "Finds cerebral aneurysms and the vessels they sit on in 3D rotational angiography. "
            "Choose the volume and press Segment, or press Click to segment and click on an "
            "aneurysm. The button Sample makes a simulated scan to try it. What has to be "
            "installed stands in the section Installation; nothing is installed "
            "before you ask. "
            "For research use; not a medical device."
        )
        parent.acknowledgementText = _(
            "If you use this in research, cite the method: F. Lin, Y. Xia, M. MacRaid, Y. Deo, "
            "H. Dou, Q. Liu, N. Cheng, N. Ravikumar, A. F. Frangi: GS-EMA: Integrating Gradient "
            "Surgery Exponential Moving Average with Boundary-Aware Contrastive Learning for "
            "Enhanced Domain Generalization in Aneurysm Segmentation."
        )
        for offer in (loadTerminology, offerSample, offerInDataTree):
            slicer.app.connect("startupCompleted()", offer)


class GSEMASegmentationWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: it shows and asks, the logic works; its sections are in the Lib."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: GSEMASegmentationLogic | None = None
        self._parameterNode: Any = None
        self._guiTag: int | None = None
        self._output = OutputChoice()

    def setup(self) -> None:
        super().setup()
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/GSEMASegmentation.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        loadTerminology()
        self.logic = GSEMASegmentationLogic(onLog=self._appendLog)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport)
        self._makeSections()
        self.initializeParameterNode()

    def _makeSections(self) -> None:
        ui, logic, update = self.ui, self.logic, self._updatePanel
        log = RunLog(self._appendLog)
        self.voxelCheck = VoxelCheck(update)
        self.teachers = TeacherPanel(ui, update)
        self.machine = DevicePanel(ui, logic, update)
        self.settings = SettingRows(ui.settingsWidget, self._onSettings)
        self.installation = InstallationPanel(ui, update)
        self.results = ResultsPanel(ui, logic)
        self.surface = SurfacePanel(ui, logic)
        self.run = RunPanel(
            ui,
            logic,
            log,
            self._segmentChoices,
            self._onStart,
            self._onResult,
            update,
            self.installation.ensure,
        )
        self.corrections = CorrectionPanel(ui, logic, log, self.run, self.results, update)
        self.necks = NeckPanel(ui, logic, self.results, self.run.showStatus, update)
        self.coils = CoilsPanel(ui, logic, self.results)
        self.clicks = ClickPanel(ui, logic, log, self.run, self._clickChoices, self._onClicked)
        self.volumes = VolumePanel(
            ui, lambda: self._parameterNode, self._isBusy, self.run.showStatus
        )
        self.harden = HardenPanel(ui, self.volumes.choose)
        actions = {
            CLICK: ui.clickButton.click,
            UNDO: ui.undoClickButton.click,
            REDO: ui.redoClickButton.click,
            PREVIOUS: lambda: self.results.step(-1),
            NEXT: lambda: self.results.step(1),
        }
        self.keys = Shortcuts(self.parent, actions)

    def cleanup(self) -> None:
        """Called when the module is reloaded or the application closes."""
        self.volumes.stop()
        self.clicks.remove()
        self.keys.remove()
        self.voxelCheck.stop()
        self.corrections.stop()
        self.results.stop()
        self.logic.stop()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        self.teachers.refresh()
        self.installation.refresh()
        self.initializeParameterNode()
        self.corrections.enter()
        self.keys.switch(True)

    def exit(self) -> None:
        """The panel stays bound to the parameters: a run may end while another module is shown."""
        self.keys.switch(False)
        self.clicks.stop()

    def onSceneStartClose(self, caller: Any, event: str) -> None:
        self.setParameterNode(None)
        self.volumes.follower.forget()
        self.coils.forget()

    def onSceneEndClose(self, caller: Any, event: str) -> None:
        self.run.showStatus("")
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller: Any, event: str) -> None:
        """The parameters are read before the nodes that they name: only now can they be shown."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        self.setParameterNode(self.logic.getParameterNode())
        self.volumes.follower.start()

    def setParameterNode(self, parameterNode: Any) -> None:
        """Bind the panel to these parameters; None unbinds it."""
        modified = vtk.vtkCommand.ModifiedEvent
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode, modified, self._updatePanel)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._output.keep(parameterNode)
            self._guiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, modified, self._updatePanel)
        self._updatePanel()

    def _segmentChoices(self) -> dict[str, Any]:
        kept = self._parameterNode.keepProbability
        return {**self._nodesAndMachine(), "keepProbability": kept, **self.settings.values}

    def _clickChoices(self) -> dict[str, Any]:
        return {**self._nodesAndMachine(), **self.settings.valuesAtAClick}

    def _nodesAndMachine(self) -> dict[str, Any]:
        node = self._parameterNode
        return {
            "volumeNode": node and node.inputVolume,
            "outputSegmentation": node and node.outputSegmentation,
            "teacher": self.teachers.name,
            "device": self.machine.device,
        }

    def _onSettings(self) -> None:
        if self._parameterNode is not None:
            self._parameterNode.settings = self.settings.ofCase
        self._updatePanel()

    def _onStart(self) -> None:
        self.clicks.stop()
        self.volumes.follower.onWork()

    def _onResult(self, volumeNode: Any, outcome: JobOutcome, seconds: float) -> None:
        rememberRun(outcome.report, volumeNode, seconds)
        self.volumes.follower.onWork()
        if not self._showSegmentation(volumeNode, outcome.segmentationNode):
            return
        self.results.measureSoon()
        if outcome.aneurysms:
            first = outcome.aneurysms[0]
            centerSlices(first.ras)
            showAneurysm(outcome.segmentationNode, first.ras, first.largestDiameterMm)
        else:
            showVessels(outcome.segmentationNode)

    def _onClicked(self, volumeNode: Any, segmentationNode: Any) -> None:
        self.volumes.follower.onWork()
        if self._showSegmentation(volumeNode, segmentationNode):
            self.results.measureSoon()

    def _showSegmentation(self, volumeNode: Any, segmentationNode: Any) -> bool:
        """Make what was segmented the output, if its volume is still the one that is chosen."""
        node = self._parameterNode
        if node is None or (volumeNode is not None and volumeNode is not node.inputVolume):
            return False
        if segmentationNode is not None:
            node.outputSegmentation = segmentationNode
        self._updatePanel()
        return True

    def segmentVolume(self, volumeNode: Any) -> None:
        """Choose a volume and press Segment; where that cannot be done, the panel says why."""
        if self.logic.isRunning:
            self.run.showStatus(_("Wait for the end of what runs, then try again."), isError=True)
            return
        self.volumes.choose(volumeNode)
        if self.ui.segmentButton.enabled:
            self.ui.segmentButton.click()
        else:
            self.run.showStatus(self.ui.segmentButton.toolTip, isError=True)

    def _isBusy(self) -> bool:
        """Whether the volume may not change by itself now."""
        return self.logic.isRunning or self.clicks.picker.isActive

    def _updatePanel(self, caller: Any = None, event: str = "") -> None:
        """Show what is chosen, and enable what can be used now."""
        node = self._parameterNode
        volume = self.volumes.current
        isOther = node is not None and self._output.follow(node)
        if isOther:
            self.clicks.stop()
            if not self.logic.isRunning:
                self.run.showStatus("")  # it was about the volume before
        if node is not None and node.settings != self.settings.ofCase:  # a scene was loaded
            self.settings.showCase(node.settings)
        output = node.outputSegmentation if node is not None else None
        self.ui.show3DButton.setSegmentationNode(output)
        self.ui.show3DButton.visible = output is not None
        self.results.show(output, volume)
        if isOther and output is not None and tableOf(output) is None:
            self.results.measureSoon()  # its first measurement was ended, or a script has made it
        self.necks.update()
        self.surface.show(output)
        self.voxelCheck.look(volume)
        judgement, isReady = volumeJudgement(volume, self.voxelCheck.problem)
        showText(self.ui.volumeInfoLabel, judgement)
        self.harden.update(volume)
        self.machine.update(volume, self.teachers.name, self.settings.value("overlap"))
        problem = self.teachers.problem if isReady else judgement
        self.run.update(problem)
        self.clicks.update(problem)

    def _appendLog(self, line: str) -> None:
        self.ui.logTextEdit.appendPlainText(line)


class GSEMASegmentationTest(ScriptedLoadableModuleTest):
    """Run by Slicer's test runner, and here by the harness; needs neither torch nor a teacher."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def test_segmentsLieWhereTheLabelsAre(self) -> None:
        labels = np.zeros((12, 16, 20), np.uint8)
        labels[4:8, 5:11, 6:14] = 1
        labels[5:7, 6:9, 10:13] = 2
        ijkToRas = np.diag([0.4, -0.4, 0.5, 1.0])
        volumeNode = slicer.util.addVolumeFromArray(labels * 100.0, ijkToRas, name="phantom")
        node = importSegments(segmentsOf(labels), volumeNode, None)
        for label, name in ((1, "Vessel"), (2, "Aneurysm")):
            segmentId = node.GetSegmentation().GetSegmentIdBySegmentName(name)
            found = slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentId, volumeNode)
            self.assertTrue(np.array_equal(found != 0, labels == label))

    def test_unusableVolumeIsExplained(self) -> None:
        labelMap = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
        for volumeNode, expected in ((None, "No volume"), (labelMap, "label map")):
            with self.assertRaisesRegex(UserError, expected):
                checkVolume(volumeNode)

    def test_terminologyIsLoaded(self) -> None:
        loadTerminology()
        logic = slicer.modules.terminologies.logic()
        categories = vtk.vtkStringArray()
        logic.GetLoadedTerminologyNames(categories)
        names = [categories.GetValue(index) for index in range(categories.GetNumberOfValues())]
        self.assertIn(CONTEXT_NAME, names)
