"""Train a GS-EMA teacher from a configuration file, beside Slicer and not inside it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import slicer
import slicer.util
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)

# In a source checkout each module has its own folder, and this one needs its neighbor's library.
_neighbor = Path(__file__).resolve().parents[1] / "GSEMASegmentation"
if _neighbor.is_dir() and str(_neighbor) not in sys.path:
    sys.path.append(str(_neighbor))

from GSEMATrainingLib.TrainingLogic import GSEMATrainingLogic  # noqa: E402

from gsema_core.errors import UserError  # noqa: E402


class GSEMATraining(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        parent.title = _("Aneurysm Training (GS-EMA)")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["The AneurysmSegmentation contributors"]
        parent.helpText = _(
            "Trains a teacher for Aneurysm Segmentation: choose a training configuration (.toml), "
            "press Start. The training runs in a process of its own; stopped, it goes on from its "
            "checkpoint. For research use."
        )
        parent.acknowledgementText = _(
            "The method is GS-EMA: Lin et al., gradient surgery exponential moving average with "
            "boundary-aware contrastive learning for domain generalization in aneurysm "
            "segmentation."
        )


class GSEMATrainingWidget(ScriptedLoadableModuleWidget):
    """The panel: a configuration, a button, and what the training prints."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.logic: GSEMATrainingLogic | None = None

    def setup(self) -> None:
        super().setup()
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/GSEMATraining.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = GSEMATrainingLogic()
        settings = slicer.app.userSettings()
        self.ui.configPathLineEdit.currentPath = settings.value("GSEMATraining/Config", "")
        self.ui.configPathLineEdit.connect("currentPathChanged(QString)", self._onConfigChanged)
        self.ui.trainButton.connect("clicked(bool)", self.onTrainButton)
        self._showStatus("")
        self._updatePanel()

    def cleanup(self) -> None:
        """Called when the module is reloaded or the application closes."""
        self.logic.close()

    def enter(self) -> None:
        """Nothing of the scene is shown here."""

    def exit(self) -> None:
        """The training goes on while another module is shown."""

    def onTrainButton(self) -> None:
        """Start, or stop what runs."""
        if self.logic.isRunning:
            self.logic.stop()
            self._showStatus(_("Stopping: the training writes its checkpoint..."))
            self.ui.trainButton.enabled = False
            return
        self.ui.logTextEdit.clear()
        try:
            config = self.ui.configPathLineEdit.currentPath
            self.logic.start(config, self.ui.logTextEdit.appendPlainText, self._onDone)
        except UserError as error:
            self._showStatus(str(error))
            slicer.util.errorDisplay(str(error))
        else:
            self._showStatus(_("Training..."))
        self._updatePanel()

    def _onDone(self, sentence: str) -> None:
        self._showStatus(sentence)
        self._updatePanel()

    def _onConfigChanged(self, path: str) -> None:
        slicer.app.userSettings().setValue("GSEMATraining/Config", path)
        self._updatePanel()

    def _showStatus(self, text: str) -> None:
        self.ui.statusLabel.text = text
        self.ui.statusLabel.visible = bool(text)

    def _updatePanel(self) -> None:
        """Enable what can be used now; a disabled button's tooltip says why it is."""
        isRunning = self.logic.isRunning
        hasConfig = bool(self.ui.configPathLineEdit.currentPath)
        self.ui.configPathLineEdit.enabled = not isRunning
        button = self.ui.trainButton
        button.text = _("Stop") if isRunning else _("Start")
        button.enabled = isRunning or hasConfig
        if isRunning:
            button.toolTip = _("Stop after the checkpoint is written.")
        elif hasConfig:
            button.toolTip = _("Train as this configuration says, or go on where it stopped.")
        else:
            button.toolTip = _("Choose a training configuration first.")


class GSEMATrainingTest(ScriptedLoadableModuleTest):
    """Run by Slicer's test runner, and here by the harness; starts no training."""

    def test_missingConfigurationIsExplained(self) -> None:
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(UserError, "toml"):
            GSEMATrainingLogic().start(Path(folder) / "none.toml", print, print)
