"""Pictures of the training panel's states: FOLDER/training-STATE-WIDTH-light.png, and dark.

usage: python demo/training_states.py FOLDER [STATE ...]
A run's folder is filled with what a training writes there, so no state takes a training.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

# Only for this import: the package slicer adopts every folder of its name on the path, and there
# is one beside the harness.
sys.path.insert(0, str(ROOT / "Testing"))
import slicer_harness  # noqa: E402

sys.path.remove(str(ROOT / "Testing"))

WIDTHS = 420, 540
STATES = "empty", "cases", "running", "stopping", "ending", "done", "stopped", "failed", "advanced"
ENDED = {"ending": "finished", "done": "finished", "stopped": "stopped", "failed": "failed"}


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    slicer_harness.boot(with_widgets=True)
    import slicer
    from slicer_harness.loader import load_module

    load_module(ROOT / "GSEMATraining" / "GSEMATraining.py")
    target = Path(arguments[0])
    target.mkdir(parents=True, exist_ok=True)
    for state in arguments[1:] or STATES:
        for color in ("light", "dark"):
            paint(color)
            with ExitStack() as end:
                folder = Path(end.enter_context(tempfile.TemporaryDirectory()))
                widget = end.enter_context(opened())
                bring_to(widget.self(), state, folder, end)
                for width in WIDTHS:
                    grab(widget, width, target / f"training-{state}-{width}-{color}.png")
            slicer.mrmlScene.Clear()
    return 0


@contextmanager
def opened() -> Iterator[Any]:
    """The module's widget on the screen, with nothing of the state before."""
    import slicer

    slicer.app.userSettings().clear()
    module = slicer.modules.gsematraining
    widget = module.widgetRepresentation()
    widget.enter()
    widget.show()
    yield widget
    module.closeWidget()


def bring_to(panel: Any, state: str, folder: Path, end: ExitStack) -> None:
    """Let the panel show a state; what must last meanwhile goes into ``end``."""
    run = folder / "Department of Neuroradiology" / "a long name of a folder" / "training-001"
    if state != "empty":
        fill_table(panel)
    if state not in ("empty", "cases", "advanced"):
        from gsema_core.training.lock import held

        write_run(run, state)
        if state in ("running", "stopping", "ending"):
            end.enter_context(held(run))
    panel.ui.runFolderPathLineEdit.currentPath = str(run)
    panel.ui.advancedCollapsibleButton.collapsed = state != "advanced"
    panel.train.watch.look()


def fill_table(panel: Any) -> None:
    """Cases as they come from files: good ones, and one that cannot be used."""
    from GSEMATrainingLib.cases.TrainingCase import TrainingCase

    facts = {"spacingMm": (0.43, 0.43, 0.6), "vesselMl": 3.21, "aneurysmMl": 0.2}
    for number in range(1, 9):
        files = {"image": f"scan-{number}.nrrd", "label": f"label-{number}.nrrd"}
        case = TrainingCase("", f"P{number:03d}", "Leeds", **files, **facts, aneurysms=number % 3)
        panel.cases._list.add(case)
    problem = "The label map has the value 7: use 0 (background), 1 (vessel) and 2 (aneurysm)."
    panel.cases._list.add(
        TrainingCase("", "P009", "Leeds", image="scan-9.nrrd", label="9.nrrd", problem=problem)
    )
    panel.cases._list.decideUses()


def write_run(folder: Path, state: str) -> None:
    """What a training of 30 minutes has written when it is in this state."""
    from gsema_core.teachers.registry import BUNDLED_TEACHER
    from gsema_core.teachers.teacher_file import file_hash
    from gsema_core.training.status import ENDLESS

    (folder / "pictures").mkdir(parents=True)
    (folder / "config.toml").write_text('preset = "paper"\n[run]\ninitial_teacher = "default"\n')
    uses = [{"use": "training"}, {"use": "test"}]
    (folder / "datalist.json").write_text(json.dumps({"cases": uses}))
    isOver = state in ("ending", "done")
    status: dict[str, Any] = {
        "state": ENDED.get(state, "training"),
        "pid": os.getpid(),
        "step": 1143 if isOver else 464,
        "steps": ENDLESS,
        "minutes": 30.0,
        "seconds": 1800.0 if isOver else 735.0,
        "seconds_left": 1130.0 if state == "running" else None,
        "seconds_per_step": 1.58,
        "best_score": 0.61,
        "best_step": 400,
        "device": "cpu",
        "memory_mb": 2150,
    }
    (folder / "status.json").write_text(json.dumps(status))
    (folder / "metrics.csv").write_text("step,kind,loss_source\n5,training,0.9\n")
    log = "".join(f"[{n}, {30 - n // 40} min left] loss 0.{900 - n}\n" for n in range(5, 465, 5))
    if state == "failed":
        log += "error: Could not write checkpoint.pt (No space left on device): free some space.\n"
    (folder / "train.log").write_text(log)
    shutil.copyfile(BUNDLED_TEACHER, folder / "teacher.safetensors")
    if state == "stopping":
        (folder / "stop").touch()
    write_picture(folder / "pictures" / "step-0000400-case-2.png")
    if state == "done":
        new = {"name": "local", "sha256": file_hash(folder / "teacher.safetensors")}
        (folder / "report.json").write_text(json.dumps({"teachers": {"new": new}, **report()}))


def write_picture(path: Path) -> None:
    import qt

    image = qt.QImage(128, 128, qt.QImage.Format_RGB32)
    image.fill(qt.QColor(40, 44, 52))
    image.save(str(path))


def report() -> dict[str, Any]:
    start = {"aneurysm_dice": 0.52, "sensitivity": 0.7, "missed": 1, "false_positives": 2}
    start |= {"surface_distance_mm": 1.3, "vessel_dice": 0.81}
    new = start | {"aneurysm_dice": 0.63, "sensitivity": 0.9, "missed": 0}
    totals = {"false_positives_per_case": 1.5, "cases": 2}
    cases = [{"case": n, "center": "Leeds", "start": start, "new": new} for n in (7, 8)]
    summary = {"start": start | totals, "new": new | totals}
    warnings = ["Only 2 patients were held out: 6 are needed for a test."]
    found = {"verdict": "better", "p_value": None, "warnings": warnings}
    return {"cases": cases, "summary": summary, **found}


def paint(color: str) -> None:
    """Give the application light or dark colors, as Slicer's own styles have them."""
    import qt
    import slicer

    palette = qt.QPalette(qt.QColor(239, 239, 239))
    if color == "dark":
        palette = qt.QPalette(qt.QColor(53, 53, 53))
        palette.setColor(qt.QPalette.Base, qt.QColor(35, 35, 35))
    slicer.app.setPalette(palette)


def grab(widget: Any, width: int, path: Path) -> None:
    """Draw the panel in this width, as high as it then wants to be."""
    import slicer

    for _round in range(3):  # texts that wrap change the height, which changes their room
        widget.resize(width, max(300, widget.layout().heightForWidth(width)))
        slicer.app.processEvents()
    least = widget.minimumSizeHint().width()
    if least > width:
        print(f"{path.name}: takes {least} pixels", file=sys.stderr)
    widget.grab().save(str(path))
    print(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
