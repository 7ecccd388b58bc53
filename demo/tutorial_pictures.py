"""The pictures of the tutorial in README.md, made with the harness by doing what it says.

usage: python demo/tutorial_pictures.py [FOLDER]
The sample is made, segmented and measured by the real worker.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from panel_screenshot import ROOT, slicer_harness, wait

WIDTH = 420


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else ROOT / "docs" / "images"
    slicer_harness.boot(with_widgets=True)
    import slicer
    from slicer_harness.loader import load_module

    load_module(ROOT / "GSEMASegmentation" / "GSEMASegmentation.py")
    widget = slicer.modules.gsemasegmentation.widgetRepresentation()
    widget.enter()
    widget.show()
    panel = widget.self()
    panel.ui.sampleDataButton.click()
    wait(lambda: panel.ui.sampleDataButton.enabled)
    keep(widget, folder / "tutorial_sample.png")
    panel.ui.segmentButton.click()
    wait(lambda: 4 * panel.ui.progressBar.value > panel.ui.progressBar.maximum)
    keep(widget, folder / "tutorial_running.png")
    wait(lambda: not panel.logic.isRunning)
    panel.ui.linesCheckBox.click()
    wait(lambda: panel.ui.editedLabel.text == "")  # is measured
    keep(widget, folder / "tutorial_measured.png")
    slicer.modules.gsemasegmentation.closeWidget()
    return 0


def keep(widget: Any, path: Path) -> None:
    """Save what the panel looks like at its own height."""
    import slicer

    for _round in range(6):  # until the layout has settled
        slicer.app.processEvents()
        widget.layout().activate()
        widget.resize(WIDTH, widget.layout().totalHeightForWidth(WIDTH))
    slicer.app.processEvents()
    widget.grab().save(str(path))
    print(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
