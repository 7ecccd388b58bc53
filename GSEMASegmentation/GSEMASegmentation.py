"""Segment cerebral aneurysms and their vessels in 3D rotational angiography."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import qt
import slicer
import slicer.util
import vtk
from GSEMASegmentationLib.Aneurysms import Aneurysm
from GSEMASegmentationLib.DeviceText import deviceText, rememberDevice, rememberRun
from GSEMASegmentationLib.InstallationPanel import InstallationPanel
from GSEMASegmentationLib.RemainingTime import RemainingTime
from GSEMASegmentationLib.SampleScan import SampleScan, registerSample
from GSEMASegmentationLib.SegmentationJob import JobOutcome
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic
from GSEMASegmentationLib.SegmentationOutput import importSegments, segmentsOf
from GSEMASegmentationLib.TeacherPanel import TeacherPanel
from GSEMASegmentationLib.ViewHelpers import centerViews
from GSEMASegmentationLib.VolumeChoice import checkVolume, firstVolume, volumeJudgement
from GSEMASegmentationLib.VoxelCheck import VoxelCheck
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

from gsema_core.errors import UserError
from gsema_core.terminology import CONTEXT_NAME

DEVICES = ("auto", "cpu", "cuda")
"""What the entries of the panel's device box mean to the worker."""

DEVICE_SETTING = "GSEMASegmentation/Device"


class GSEMASegmentation(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        parent.title = _("Aneurysm Segmentation (GS-EMA)")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["The AneurysmSegmentation contributors"]
        parent.helpText = _(
            "Finds cerebral aneurysms and the vessels they sit on in 3D rotational angiography: "
            "choose the volume, press Segment. For research use; not a medical device."
        )
        parent.acknowledgementText = _(
            "The method is GS-EMA: Lin et al., gradient surgery exponential moving average with "
            "boundary-aware contrastive learning for domain generalization in aneurysm "
            "segmentation."
        )
        slicer.app.connect("startupCompleted()", loadTerminology)
        slicer.app.connect("startupCompleted()", offerSample)


def loadTerminology() -> None:
    """Teach Slicer the codes of our segments; its own lists lack the cerebral aneurysm."""
    path = Path(__file__).parent / "Resources" / "Terminologies" / "CerebralAneurysms.term.json"
    if not slicer.modules.terminologies.logic().LoadTerminologyFromFile(str(path)):
        logging.error("The terminology %s could not be loaded.", path)


def offerSample() -> None:
    """Put the simulated angiography into the Sample Data module."""
    registerSample(Path(__file__).parent / "Resources" / "Icons" / "GSEMASegmentation.png")


class GSEMASegmentationWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: it shows and asks, the logic works; its larger sections are in the Lib."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: GSEMASegmentationLogic | None = None
        self._parameterNode: Any = None
        self._guiTag: int | None = None
        self._volumeOfOutput: Any = None
        self._remaining: RemainingTime | None = None
        self._sample: SampleScan | None = None

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
        self.voxelCheck = VoxelCheck(self._updatePanel)
        self.teachers = TeacherPanel(self.ui, self._updatePanel)
        self.installation = InstallationPanel(self.ui, self._updatePanel)
        self._restoreSettings()
        self.ui.segmentButton.connect("clicked(bool)", self.onSegmentButton)
        self.ui.sampleDataButton.connect("clicked(bool)", self.onSampleDataButton)
        self.ui.checkDeviceButton.connect("clicked(bool)", self.onCheckDeviceButton)
        self.ui.aneurysmTable.connect("cellDoubleClicked(int,int)", self.onAneurysmDoubleClicked)
        self.ui.deviceComboBox.connect("currentIndexChanged(int)", self._onDeviceChosen)
        self._showProgress(False)
        self._showAneurysms([])
        self._showStatus("")
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called when the module is reloaded or the application closes."""
        if self._sample is not None:
            self._sample.stop()
        self.voxelCheck.stop()
        self.logic.stop()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        self.teachers.refresh()
        self.installation.refresh()
        self.initializeParameterNode()

    def exit(self) -> None:
        """The panel stays bound to the parameters: a run may end while another module is shown."""

    def onSceneStartClose(self, caller: Any, event: str) -> None:
        self.setParameterNode(None)

    def onSceneEndClose(self, caller: Any, event: str) -> None:
        self._showAneurysms([])
        self._showStatus("")
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        self.setParameterNode(self.logic.getParameterNode())
        if self._parameterNode.inputVolume is None:
            self._parameterNode.inputVolume = firstVolume()

    def setParameterNode(self, parameterNode: Any) -> None:
        """Bind the panel to these parameters; None unbinds it."""
        modified = vtk.vtkCommand.ModifiedEvent
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode, modified, self._updatePanel)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._volumeOfOutput = parameterNode.inputVolume
            self._guiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, modified, self._updatePanel)
        self._updatePanel()

    def onSegmentButton(self) -> None:
        """Start, or cancel what runs."""
        if self.logic.isRunning:
            self.logic.cancel()
            self._showStatus(_("Cancelling..."))
            self.ui.segmentButton.enabled = False
            return
        node = self._parameterNode
        self._showAneurysms([])
        self._showStatus(_("Starting..."))
        self._remaining = RemainingTime()
        self.logic.segment(
            node.inputVolume,
            teacher=self.teachers.name,
            device=self._device,
            outputSegmentation=node.outputSegmentation,
            overlap=node.overlap,
            minimumAneurysmMm3=node.minimumAneurysmMm3,
            aneurysmThreshold=node.aneurysmThreshold or None,
            keepProbability=node.keepProbability,
            blocking=False,
            onProgress=self._onProgress,
            onDone=self._onDone,
        )
        self._showProgress(self.logic.isRunning)
        self._updatePanel()

    def onSampleDataButton(self) -> None:
        self.ui.sampleDataButton.enabled = False
        self._showStatus(_("Making the sample..."))
        self._sample = SampleScan(self._onSampleDone)
        self._sample.start()

    def onCheckDeviceButton(self) -> None:
        self.ui.checkDeviceButton.enabled = False
        self.ui.deviceInfoLabel.text = _("Starting the worker...")
        self.logic.askForDevices(self._onDevices)

    def onAneurysmDoubleClicked(self, row: int, column: int) -> None:
        centerViews(self.logic.aneurysms[row].ras)

    @property
    def _device(self) -> str:
        return DEVICES[self.ui.deviceComboBox.currentIndex]

    def _onSampleDone(self, node: Any, message: str) -> None:
        self._sample = None
        self.ui.sampleDataButton.enabled = True
        self._showStatus(message, isError=bool(message))
        if node is not None and self._parameterNode is not None:
            self._parameterNode.inputVolume = node

    def _onDevices(self, devices: list[dict[str, Any]], message: str) -> None:
        self.ui.checkDeviceButton.enabled = True
        if devices:
            rememberDevice(devices[0])
        self._updatePanel()
        if message:
            self.ui.deviceInfoLabel.text = message

    def _onProgress(self, fraction: float, phase: str) -> None:
        self.ui.progressBar.value = round(self.ui.progressBar.maximum * fraction)
        left = self._remaining.text(fraction) if self._remaining else ""
        text = _("{phase}, {duration} left...") if left else _("{phase}...")
        self._showStatus(text.format(phase=_(phase), duration=left))

    def _onDone(self, outcome: JobOutcome) -> None:
        self._showProgress(False)
        if outcome.isCancelled:
            self._showStatus(_("Cancelled; the scene is unchanged."))
        elif outcome.message:
            self._showStatus(outcome.message, isError=True)
            slicer.util.errorDisplay(outcome.message)
        else:
            self._showResult(outcome)
        self._updatePanel()

    def _showResult(self, outcome: JobOutcome) -> None:
        node, aneurysms = self._parameterNode, self.logic.aneurysms
        if node is not None:
            node.outputSegmentation = outcome.segmentationNode
            seconds = self._remaining.elapsed
            rememberRun(outcome.report, node.inputVolume, node.overlap, seconds)
        self._showAneurysms(aneurysms)
        if not aneurysms:
            self._showStatus(_("No aneurysm was found."))
            return
        centerViews(aneurysms[0].ras)
        found = (
            _("1 aneurysm was found.") if len(aneurysms) == 1 else _("{n} aneurysms were found.")
        )
        self._showStatus(found.format(n=len(aneurysms)))

    def _showAneurysms(self, aneurysms: list[Aneurysm]) -> None:
        table = self.ui.aneurysmTable
        titles = [_("Number"), _("Volume (ml)"), _("Diameter (mm)"), _("R, A, S (mm)")]
        table.setColumnCount(len(titles))
        table.setHorizontalHeaderLabels(titles)
        table.setRowCount(len(aneurysms))
        for row, aneurysm in enumerate(aneurysms):
            position = ", ".join(f"{value:.1f}" for value in aneurysm.ras)
            volume, diameter = f"{aneurysm.volumeMl:.3f}", f"{aneurysm.largestDiameterMm:.1f}"
            for column, text in enumerate((str(aneurysm.index), volume, diameter, position)):
                table.setItem(row, column, qt.QTableWidgetItem(text))
        table.resizeColumnsToContents()
        self.ui.aneurysmsCollapsibleButton.visible = bool(aneurysms)

    def _showProgress(self, isRunning: bool) -> None:
        self.ui.progressBar.value = 0
        self.ui.progressBar.visible = isRunning
        self.ui.segmentButton.text = _("Cancel") if isRunning else _("Segment")

    def _showStatus(self, text: str, isError: bool = False) -> None:
        self.ui.statusLabel.styleSheet = "color: #d33" if isError else ""
        self.ui.statusLabel.text = text
        self.ui.statusLabel.visible = bool(text)

    def _updatePanel(self, caller: Any = None, event: str = "") -> None:
        """Enable what can be used now; a disabled button's tooltip says why it is."""
        node = self._parameterNode
        volume = node.inputVolume if node is not None else None
        if node is not None and volume is not self._volumeOfOutput:
            # The segments of the volume before must not be replaced by those of another one.
            self._volumeOfOutput = volume
            node.outputSegmentation = None
        self.ui.show3DButton.setSegmentationNode(node.outputSegmentation if node else None)
        self.voxelCheck.look(volume)
        judgement, isReady = volumeJudgement(volume, self.voxelCheck.problem)
        self.ui.volumeInfoLabel.text = judgement
        overlap = node.overlap if node is not None else 0.0
        self.ui.deviceInfoLabel.text = deviceText(volume, self.teachers.name, self._device, overlap)
        button = self.ui.segmentButton
        button.enabled = self.logic.isRunning or (isReady and not self.teachers.problem)
        if self.logic.isRunning:
            button.toolTip = _("Stop; the scene stays as it was.")
        elif button.enabled:
            button.toolTip = _("Segment the vessels and the aneurysms of this volume.")
        else:
            button.toolTip = self.teachers.problem if isReady else judgement

    def _appendLog(self, line: str) -> None:
        self.ui.logTextEdit.appendPlainText(line)

    def _restoreSettings(self) -> None:
        device = slicer.app.userSettings().value(DEVICE_SETTING, DEVICES[0])
        self.ui.deviceComboBox.currentIndex = DEVICES.index(device) if device in DEVICES else 0

    def _onDeviceChosen(self) -> None:
        slicer.app.userSettings().setValue(DEVICE_SETTING, self._device)
        self._updatePanel()


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
