"""Copies of the cases for a training, under numbers instead of names."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qt
import slicer
import slicer.util
from GSEMASegmentationLib.install.CorePackage import pythonExecutable
from GSEMASegmentationLib.scene.Coordinates import ijkToRas
from GSEMASegmentationLib.scene.VolumeFiles import exportVolume
from GSEMASegmentationLib.worker.CoreCommand import CoreCommand, cancelledText

from gsema_core.datasets import Case, write_datalist
from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path, make_folder
from gsema_core.labels import ANEURYSM, BACKGROUND, IGNORE, VESSEL
from GSEMATrainingLib.cases.SceneCases import checkPair, labelArray
from GSEMATrainingLib.cases.TrainingCase import NodesOf, TrainingCase

FOLDER = "cases"

AS_IT_IS = tuple((label, label) for label in (BACKGROUND, VESSEL, ANEURYSM, IGNORE))
"""What the values of a copy mean that has voxels to ignore."""

# Voxels and geometry only: headers of image files may name the patient.
COPY_PROGRAM = """
import json, sys
from pathlib import Path
from gsema_core.datasets import Case
from gsema_core.datasets.case_files import read_case
from gsema_core.errors import ERROR_PREFIX, UserError
from gsema_core.files import write_labels, write_volume
from gsema_core.files.label_rules import LabelRules
for line in sys.stdin.read().splitlines():
    one = json.loads(line)
    relabel = tuple((value, label) for value, label in one["relabel"])
    try:
        rules = LabelRules.from_entry(one["labels"], "the list")
        case = Case("", "", Path(one["image"]), Path(one["label"]), "", relabel, rules)
        image, labels = read_case(case)
        write_volume(image, one["toImage"])
        write_labels(labels, one["toLabel"])
    except UserError as error:
        sys.exit(ERROR_PREFIX + str(error))
    print(one["number"], flush=True)
"""


@dataclass(frozen=True)
class ExportedCase:
    """A case under its number.

    Attributes:
        case: the row of the table.
        number: from 1; patients have numbers of their own.
        patient: what stands for the patient.
    """

    case: TrainingCase
    number: int
    patient: str

    @property
    def stem(self) -> str:
        return f"case-{self.number:03d}"

    def files(self, folder: Path) -> Case:
        """The copies in the run's folder, as a case whose label values are this project's.

        What is to be ignored is told, as 255 is many programs' only label.
        """
        scans = folder / FOLDER
        files = (scans / f"{self.stem}.nrrd", scans / f"{self.stem}-labels.nrrd")
        relabel = AS_IT_IS if self.case.ignoredMl else ()
        return Case(self.patient, self.case.center, *files, self.case.use, relabel)


def numbered(cases: Sequence[TrainingCase]) -> list[ExportedCase]:
    """The usable cases under numbers, in the list's order."""
    usable = [case for case in cases if case.isUsable]
    patients = {name: n for n, name in enumerate(dict.fromkeys(one.patient for one in usable), 1)}
    return [
        ExportedCase(case, number, f"{patients[case.patient]:03d}")
        for number, case in enumerate(usable, start=1)
    ]


class CaseExport:
    """Writes the cases into a run's folder, one at a time between the events of Qt.

    What is in the scene is written from here, files are copied by a process of their own. Nothing
    of an image but its voxels and its geometry is written.

    Args:
        cases: what to write.
        nodesOf: volume and segmentation of a case of the scene.
        folder: the run's.
        onProgress: called with the fraction done.
        onDone: called once, with an empty text or with why it could not be done.
    """

    def __init__(
        self,
        cases: Sequence[ExportedCase],
        nodesOf: NodesOf,
        folder: Path,
        onProgress: Callable[[float], None],
        onDone: Callable[[str], None],
    ) -> None:
        self._cases, self._nodesOf, self._folder = list(cases), nodesOf, folder
        self._onProgress, self._onDone = onProgress, onDone
        self._done = 0
        self._waiting = [one for one in self._cases if one.case.isOfScene]
        self._copier: CoreCommand | None = None
        self._isEnded = False
        self._timer = qt.QTimer()
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._step)

    def start(self) -> None:
        try:
            make_folder(self._folder / FOLDER)
        except UserError as error:
            self._end(str(error))
            return
        self._timer.start()

    def stop(self) -> None:
        """Write no more; ``onDone`` hears that it was cancelled."""
        if self._copier is not None:
            self._copier.stop()
        else:
            self._end(cancelledText())

    def _step(self) -> None:
        if not self._waiting:
            self._timer.stop()
            self._copyFiles()
            return
        one = self._waiting.pop(0)
        try:
            exportSceneCase(one.case, *self._nodesOf(one.case), self._folder / FOLDER, one.stem)
        except UserError as error:
            self._end(str(error))
            return
        self._report()

    def _copyFiles(self) -> None:
        files = [one for one in self._cases if not one.case.isOfScene]
        if not files:
            self._end("")
            return
        plan = "".join(json.dumps(self._order(one)) + "\n" for one in files)
        command = [pythonExecutable(), "-c", COPY_PROGRAM]
        self._copier = CoreCommand(command, lambda line: self._report(), self._end, input=plan)
        self._copier.start()

    def _order(self, one: ExportedCase) -> dict[str, Any]:
        copies = one.files(self._folder)
        return {
            "number": one.number,
            "image": one.case.image,
            "label": one.case.label,
            "relabel": [list(pair) for pair in one.case.relabel],
            "labels": dict(one.case.labelRules),
            "toImage": str(copies.image),
            "toLabel": str(copies.label),
        }

    def _report(self) -> None:
        self._done += 1
        self._onProgress(self._done / len(self._cases))

    def _end(self, message: str) -> None:
        self._timer.stop()
        self._copier = None
        if not self._isEnded:
            self._isEnded = True
            self._onDone(message)


def exportSceneCase(
    case: TrainingCase, volume: Any, segmentation: Any, folder: Path, stem: str
) -> None:
    """Write a volume and its segments as files that name nobody.

    Raises:
        UserError: the pair cannot be used any more, or a file could not be written.
    """
    checkPair(volume, segmentation, case.labels)
    labels = labelArray(volume, segmentation, case.labels)
    labelMap = slicer.vtkMRMLLabelMapVolumeNode()
    slicer.util.updateVolumeFromArray(labelMap, labels)
    labelMap.SetIJKToRASMatrix(ijkToRas(volume))
    for node, name in ((volume, f"{stem}.nrrd"), (labelMap, f"{stem}-labels.nrrd")):
        with atomic_path(folder / name) as temporary:
            exportVolume(node, temporary)


def writeDatalist(cases: Sequence[ExportedCase], folder: Path) -> Path:
    """Write the list of the copies, without anybody's name, and return its path."""
    path = folder / "datalist.json"
    write_datalist([one.files(folder) for one in cases], path)
    return path
