"""The panel's choices: what the training starts from, by which method, for how long."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import slicer
from GSEMASegmentationLib.panels.DeviceText import DEVICES
from GSEMASegmentationLib.panels.RemainingTime import durationText
from GSEMASegmentationLib.panels.TeacherText import cardText, purposeText, teacherTitle
from GSEMASegmentationLib.panels.Widgets import fillBox, showText
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.teachers.registry import DEFAULT, ListedTeacher, list_teachers
from gsema_core.teachers.teacher_file import file_hash
from gsema_core.training.status import Status
from GSEMATrainingLib.panels.PresetText import presetNames, presetText, presetTitle
from GSEMATrainingLib.panels.SettingsForm import SettingsForm
from GSEMATrainingLib.ParameterNode import EPOCHS, MINUTES
from GSEMATrainingLib.run.TrainingChoices import SCRATCH, TrainingChoices, merged, ownSettings

TEACHER, PRESET = "GSEMATraining/Teacher", "GSEMATraining/Preset"
DEVICE, SETTINGS = "GSEMATraining/Device", "GSEMATraining/Settings"
NAME, PACE = "GSEMATraining/Name", "GSEMATraining/SecondsPerStep"


class StartPanel:
    """Keeps the choices for this computer in its settings; length and replay stay with the scene.

    Args:
        ui: the panel's widgets.
        onChanged: called when something is chosen.
    """

    def __init__(self, ui: Any, onChanged: Callable[[], None]) -> None:
        self.ui = ui
        self._onChanged = onChanged
        self._listed: list[ListedTeacher] = []
        self._presets = presetNames()
        settings = slicer.app.userSettings()
        self.form = SettingsForm(self.ui.advancedTabWidget, self._onSettings)
        preset, device = settings.value(PRESET, "paper"), settings.value(DEVICE, DEVICES[0])
        index = self._presets.index(preset if preset in self._presets else "paper")
        fillBox(self.ui.presetComboBox, [presetTitle(name) for name in self._presets], index)
        index = DEVICES.index(device) if device in DEVICES else 0
        fillBox(self.ui.deviceComboBox, [_("automatic"), _("CPU"), _("GPU")], index)
        self.ui.replayInfoLabel.text = _("Simulated scans mixed in, against forgetting.")
        self.ui.nameLineEdit.text = settings.value(NAME, "local")
        self.refresh(settings.value(TEACHER, DEFAULT))
        self.form.setChanges(_tables(settings.value(SETTINGS, "{}")))
        self._show()
        for box in (self.ui.teacherComboBox, self.ui.presetComboBox, self.ui.deviceComboBox):
            box.connect("currentIndexChanged(int)", self._onChosen)
        self.ui.nameLineEdit.connect("editingFinished()", self._onChosen)
        self.ui.resetButton.connect("clicked(bool)", self.form.reset)

    @property
    def teacher(self) -> str:
        """The chosen teacher's name; ``SCRATCH`` for none."""
        return self._chosen.name if self._chosen is not None else SCRATCH

    @property
    def _chosen(self) -> ListedTeacher | None:
        index = self.ui.teacherComboBox.currentIndex
        return self._listed[index] if 0 <= index < len(self._listed) else None

    @property
    def preset(self) -> str:
        return self._presets[self.ui.presetComboBox.currentIndex]

    def choices(self, parameterNode: Any) -> TrainingChoices:
        """All choices as they are now."""
        return TrainingChoices(
            teacher=self.teacher,
            preset=self.preset,
            length=parameterNode.length,
            unit=parameterNode.lengthUnit,
            replayShare=parameterNode.replayShare,
            name=self.ui.nameLineEdit.text.strip(),
            device=DEVICES[self.ui.deviceComboBox.currentIndex],
            settings=self.form.changes,
        )

    def refresh(self, name: str | None = None) -> None:
        """List the teachers that there are now; choose ``name``, or what was chosen."""
        wanted = self.teacher if name is None else name
        self._listed = list_teachers()
        names = [teacher.name for teacher in self._listed]
        index = names.index(wanted) if wanted in names else len(names)
        titles = [*map(teacherTitle, self._listed), _("none: from scratch")]
        fillBox(self.ui.teacherComboBox, titles, index)
        self._show()

    def showTime(self, parameterNode: Any) -> None:
        """How long the training will take, judged by the pace of the last one."""
        self.ui.timeLabel.text = (
            _timeText(self.choices(parameterNode)) if parameterNode is not None else ""
        )

    def rememberPace(self, status: Status) -> None:
        """Keep what the next training's time is judged by."""
        if status.seconds_per_step:
            slicer.app.userSettings().setValue(PACE, str(status.seconds_per_step))

    def _onSettings(self) -> None:
        slicer.app.userSettings().setValue(SETTINGS, json.dumps(self.form.changes))
        self._show()
        self._onChanged()

    def _onChosen(self) -> None:
        settings = slicer.app.userSettings()
        settings.setValue(TEACHER, self.teacher)
        settings.setValue(PRESET, self.preset)
        settings.setValue(DEVICE, DEVICES[self.ui.deviceComboBox.currentIndex])
        settings.setValue(NAME, self.ui.nameLineEdit.text.strip())
        self._show()
        self._onChanged()

    def _show(self) -> None:
        teacher = self._chosen
        own: dict[str, dict[str, Any]] = {}
        problem = card = ""
        if teacher is None:
            text = _("A network that knows nothing: that needs many scans, and days on a CPU.")
        elif teacher.card is None:
            text = problem = teacher.problem
        else:
            text = purposeText(teacher.card)
            card = cardText(teacher.card, file_hash(teacher.path), longest=2000)
        try:
            own = ownSettings(self.teacher)
        except UserError as error:
            text = problem = str(error)
        showText(self.ui.teacherCardLabel, text, bool(problem))
        self.ui.teacherCardLabel.toolTip = card or text
        self._showMethod()
        self.form.setOwn(self.preset, own)
        self.ui.advancedInfoLabel.text = _changesText(self.form.changes)

    def _showMethod(self) -> None:
        title, words = presetTitle(self.preset), presetText(self.preset)
        isUsual = self.preset == self._presets[0]
        self.ui.methodInfoLabel.text = (
            title if isUsual else _("{method}, chosen in Advanced").format(method=title)
        )
        self.ui.methodInfoLabel.toolTip = words
        self.ui.presetInfoLabel.text = words


def _timeText(choices: TrainingChoices) -> str:
    if choices.unit == MINUTES:
        return _("Plus preparing, validations and comparison.")
    try:
        pace = float(slicer.app.userSettings().value(PACE, "0"))
    except (TypeError, ValueError):
        pace = 0.0
    if pace <= 0:
        return _("the time is known in the first minute")
    steps = choices.length
    if choices.unit == EPOCHS:
        tables = merged(ownSettings(SCRATCH), choices.settings)
        steps *= int(tables["run"]["validate_every"])
    text = _("{duration}, judged by the last training")
    return text.format(duration=durationText(pace * steps))


def _changesText(changes: dict[str, dict[str, Any]]) -> str:
    names = [f"{section}.{name}" for section, values in changes.items() for name in values]
    if not names:
        return _("All settings are the method's own, or those of the model.")
    return _("Changed: {names}.").format(names=", ".join(names))


def _tables(text: str) -> dict[str, dict[str, Any]]:
    try:
        tables = json.loads(text)
    except (TypeError, ValueError):
        return {}
    isTables = isinstance(tables, dict) and all(isinstance(one, dict) for one in tables.values())
    return tables if isTables else {}
