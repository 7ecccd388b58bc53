"""The panel's picture for the documentation, made with the harness: docs/images/panel.png.

usage: python demo/panel_screenshot.py [FILE.png]
The sample is made, segmented and measured on the way, as a user would do it.
"""

from __future__ import annotations

import sys
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

WIDTH = 560
LONGEST_S = 300.0


def main(arguments: list[str]) -> int:
    path = Path(arguments[0]) if arguments else ROOT / "docs" / "images" / "panel.png"
    missing = slicer_harness.missing_libraries()
    if missing:
        print(f"error: {', '.join(missing)} cannot be loaded; run", file=sys.stderr)
        print(f"  {slicer_harness.INSTALL_COMMAND}", file=sys.stderr)
        return 1
    slicer_harness.boot(with_widgets=True)
    import slicer
    from slicer_harness.loader import load_module

    load_module(ROOT / "GSEMASegmentation" / "GSEMASegmentation.py")
    widget = slicer.modules.gsemasegmentation.widgetRepresentation()
    widget.resize(WIDTH, 700)
    widget.enter()
    widget.show()
    panel = widget.self()
    use(panel)
    for _round in range(6):  # until the layout has settled
        slicer.app.processEvents()
        widget.layout().activate()
        widget.resize(WIDTH, widget.layout().totalHeightForWidth(WIDTH))
    path.parent.mkdir(parents=True, exist_ok=True)
    widget.grab().save(str(path))
    slicer.modules.gsemasegmentation.closeWidget()
    print(path)
    return 0


def use(panel: Any) -> None:
    """Make the sample, segment it."""
    panel.ui.sampleDataButton.click()
    wait(lambda: panel.ui.sampleDataButton.enabled)
    panel.ui.segmentButton.click()
    wait(lambda: not panel.logic.isRunning)
    wait(lambda: panel.ui.editedLabel.text == "")  # is measured


def wait(condition: Callable[[], bool]) -> None:
    import slicer

    end = time.monotonic() + LONGEST_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("The panel did not get on.")
        slicer.app.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
