"""The panel's teachers: choose one, read its card, import and remove."""

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
from GSEMASegmentationLib.panels.TeacherText import cardText, teacherTitle
from GSEMASegmentationLib.panels.Widgets import enable, fillBox

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
            return _("There is no teacher: import a teacher file (.safetensors) first.")
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
        pattern = _("Teachers (*.safetensors)")
        path = qt.QFileDialog.getOpenFileName(None, _("Import a teacher"), "", pattern)
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
        fixed = _("Only imported teachers can be removed.") if isOurs else ""
        usual = _("Delete the chosen teacher from this computer.")
        enable(self.ui.removeTeacherButton, usual, fixed)
        if teacher is None or teacher.card is None:
            self.ui.teacherCardLabel.text = self.problem
        else:
            sha256 = file_hash(teacher.path)
            self.ui.teacherCardLabel.text = cardText(teacher.card, sha256)
            self.ui.teacherCardLabel.toolTip = cardText(teacher.card, sha256, longest=2000)


def removeTeacher(name: str, folder: Path | None = None) -> bool:
    """Ask, and delete an imported teacher; return whether the user agreed."""
    question = _("Delete the teacher {name} from this computer?").format(name=name)
    if not slicer.util.confirmYesNoDisplay(question):
        return False
    try:
        remove_teacher(name, folder)
    except (UserError, OSError) as error:
        slicer.util.errorDisplay(str(error))
    return True
