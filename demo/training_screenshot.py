"""The training panel's picture for the documentation: docs/images/training.png.

usage: python demo/training_screenshot.py [MINUTES] [FILE.png]
Phantoms of a new center are made, the bundled model is trained on them for MINUTES (4) and
compared, as a user would do it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

# Only for this import: the package slicer adopts every folder of its name on the path, and there
# is one beside the harness.
sys.path.insert(0, str(ROOT / "Testing"))
import slicer_harness  # noqa: E402

sys.path.remove(str(ROOT / "Testing"))
from new_center import make_cases  # noqa: E402

WIDTH, HEIGHT = 540, 1760
LONGEST_S = 3600.0
MINUTES = 4


def main(arguments: list[str]) -> int:
    minutes = int(arguments[0]) if arguments else MINUTES
    path = Path(arguments[1] if len(arguments) > 1 else ROOT / "docs" / "images" / "training.png")
    missing = slicer_harness.missing_libraries()
    if missing:
        print(f"error: {', '.join(missing)} cannot be loaded; run", file=sys.stderr)
        print(f"  {slicer_harness.INSTALL_COMMAND}", file=sys.stderr)
        return 1
    slicer_harness.boot(with_widgets=True)
    import slicer
    from slicer_harness.loader import load_module

    load_module(ROOT / "GSEMATraining" / "GSEMATraining.py")
    module = slicer.modules.gsematraining
    widget = module.widgetRepresentation()
    widget.resize(WIDTH, HEIGHT)
    widget.enter()
    widget.show()
    with tempfile.TemporaryDirectory() as folder:
        use(widget.self(), Path(folder), minutes)
        slicer.app.processEvents()
        path.parent.mkdir(parents=True, exist_ok=True)
        widget.grab().save(str(path))
        module.closeWidget()
    print(path)
    return 0


def use(panel: Any, folder: Path, minutes: int) -> None:
    """Add the cases, train, and wait for the comparison."""
    panel.cases.addPath(str(make_cases(folder / "cases")))
    wait(lambda: not panel.cases.reader.isRunning)
    panel.ui.lengthSpinBox.value = minutes
    run = {"threads": 1, "validate_every": 30}
    changes = {"data": {"patch": [64, 64, 64]}, "run": run}
    panel.start.form.setChanges(changes)
    panel.ui.nameLineEdit.text = "low dose 2026"
    panel.ui.runFolderPathLineEdit.currentPath = str(folder / "training-001")
    panel.ui.trainButton.click()
    wait(lambda: not panel.logic.isPreparing)
    wait(lambda: panel.train.view.isFinished or bool(panel.train.view.problem))
    wait(lambda: not panel.logic.isComparing)


def wait(condition: Callable[[], bool]) -> None:
    import slicer

    end = time.monotonic() + LONGEST_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("The panel did not get on.")
        slicer.app.processEvents()
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
