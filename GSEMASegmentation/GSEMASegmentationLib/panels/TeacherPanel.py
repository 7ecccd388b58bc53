"""The panel's section on the model, a teacher's file: choose, read its card, import, remove."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.teachers.registry import (
    DEFAULT,
    ListedTeacher,
    add_teacher,
    list_teachers,
    remove_teacher,
)
from gsema_core.teachers.teacher_file import file_hash
from GSEMASegmentationLib.panels.TeacherText import cardText, purposeText, teacherTitle
from GSEMASegmentationLib.panels.Widgets import enable, fillBox, shortened, showText

SETTING = "GSEMASegmentation/Teacher"


class TeacherPanel:
    """Lists the bundled and the imported teachers; the choice belongs to the machine.

    Args:
        ui: the panel's widgets.
        onChanged: called when another teacher is chosen.
        folder: where imported teachers lie; None for the user's own folder.
    """

    def __init__(self, ui: Any, onChanged: Callable[[], None], folder: Path | None = None) -> None:
        self.ui = ui
        self._onChanged, self._folder = onChanged, folder
        self._listed: list[ListedTeacher] = []
        self.refresh(slicer.app.userSettings().value(SETTING, DEFAULT))
        self.ui.teacherComboBox.connect("currentIndexChanged(int)", self._onChosen)
        self.ui.importTeacherButton.connect("clicked(bool)", self._onImport)
        self.ui.removeTeacherButton.connect("clicked(bool)", self._onRemove)
        self.ui.teacherCardButton.connect("toggled(bool)", self._showCard)

    @property
    def current(self) -> ListedTeacher | None:
        index = self.ui.teacherComboBox.currentIndex
        return self._listed[index] if 0 <= index < len(self._listed) else None

    @property
    def name(self) -> str:
        """What the worker is told."""
        return self.current.name if self.current else DEFAULT

    @property
    def problem(self) -> str:
        """Why the chosen teacher cannot segment, one sentence; empty where it can."""
        if self.current is None:
            return _("There is no model: import a model file (.safetensors) first.")
        return self.current.problem

    def refresh(self, name: str = "") -> None:
        """List what there is, and choose ``name``, or else what was chosen."""
        wanted = name or self.name
        self._listed = list_teachers(self._folder)
        names = [teacher.name for teacher in self._listed]
        index = names.index(wanted) if wanted in names else min(0, len(names) - 1)
        fillBox(self.ui.teacherComboBox, [teacherTitle(one) for one in self._listed], index)
        self._show()

    def importFile(self, path: str) -> None:
        """Add a teacher file and choose it; an unusable one is explained to the user."""
        try:
            added = add_teacher(path, self._folder)
        except (UserError, OSError) as error:
            slicer.util.errorDisplay(str(error))
            return
        self.refresh(added.name)
        self._onChosen()

    def _onImport(self) -> None:
        pattern = _("Models (*.safetensors)")
        path = qt.QFileDialog.getOpenFileName(None, _("Import a model"), "", pattern)
        if path:
            self.importFile(path)

    def _onRemove(self) -> None:
        if removeTeacher(self.name, self._folder):
            self.refresh(DEFAULT)
            self._onChosen()

    def _onChosen(self) -> None:
        slicer.app.userSettings().setValue(SETTING, self.name)
        self._show()
        self._onChanged()

    def _show(self) -> None:
        teacher = self.current
        isOurs = teacher is None or teacher.name == DEFAULT
        fixed = _("Only imported models can be removed.") if isOurs else ""
        usual = _("Delete the chosen model from this computer.")
        enable(self.ui.removeTeacherButton, usual, fixed)
        title = shortened(teacherTitle(teacher)) if teacher else _("none")
        self.ui.teacherCollapsibleButton.text = _("Model: {name}").format(name=title)
        card = teacher and teacher.card
        showText(self.ui.teacherInfoLabel, purposeText(card) if card else self.problem, not card)
        if not card:
            self.ui.teacherCollapsibleButton.collapsed = False
        self.ui.teacherCardButton.visible = bool(card)
        text = cardText(card, file_hash(teacher.path)) if card else ""
        showText(self.ui.teacherCardLabel, text.partition("\n")[2])  # its purpose is told above
        self._showCard(self.ui.teacherCardButton.checked)

    def _showCard(self, isOn: bool) -> None:
        self.ui.teacherCardLabel.visible = isOn and bool(self.ui.teacherCardLabel.text)
        self.ui.teacherCardButton.text = _("Less") if isOn else _("More...")


def removeTeacher(name: str, folder: Path | None = None) -> bool:
    """Ask, and delete an imported teacher; return whether the user agreed."""
    question = _("Delete the model {name} from this computer?").format(name=name)
    if not slicer.util.confirmYesNoDisplay(question):
        return False
    try:
        remove_teacher(name, folder)
    except (UserError, OSError) as error:
        slicer.util.errorDisplay(str(error))
    return True
