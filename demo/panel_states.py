"""Pictures of the segmentation panel in every state, narrow and wide, on light and on dark windows.

usage: python demo/panel_states.py FOLDER [STATE ...]
Made with the harness and the tests' fake worker, so that nothing is computed: for looking at.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from panel_screenshot import ROOT, slicer_harness, wait

WIDTHS = (420, 540)
ANEURYSM, NOTHING = (14.0, 1.0, 3.0), (-15.0, -18.0, -15.0)


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    slicer_harness.boot(with_widgets=True)
    from slicer_harness.loader import load_module

    load_module(ROOT / "GSEMASegmentation" / "GSEMASegmentation.py")
    for name, state in STATES.items():
        if name in arguments[1:] or not arguments[1:]:
            for is_dark in (False, True):
                use_palette(is_dark)
                for width in WIDTHS:
                    shade = "dark" if is_dark else "light"
                    picture(state, width, folder / f"{name}_{width}_{shade}.png")
    return 0


def picture(state: Callable[[Any], None], width: int, path: Path) -> None:
    """Open the panel, bring it into a state, and save what it looks like at its own height."""
    import slicer

    slicer.app.userSettings().clear()
    slicer.mrmlScene.Clear()
    widget = slicer.modules.gsemasegmentation.widgetRepresentation()
    widget.enter()
    panel = widget.self()
    use_worker(panel, "good")
    widget.resize(width, 700)
    widget.show()
    state(panel)
    for _round in range(6):  # until the layout has settled
        slicer.app.processEvents()
        widget.layout().activate()
        widget.resize(width, widget.layout().totalHeightForWidth(width))
    slicer.app.processEvents()
    widget.grab().save(str(path))
    print(path, f"least width {widget.minimumSizeHint().width()}")
    wait(lambda: not panel.logic.isRunning)
    widget.exit()
    slicer.modules.gsemasegmentation.closeWidget()
    slicer.app.processEvents()


def use_palette(is_dark: bool) -> None:
    """The colors of the windows, as the application's style has them."""
    import qt
    import slicer

    slicer.app.setStyle("Fusion")
    light, dark = ("#efefef", "#000000", "#ffffff"), ("#353535", "#ffffff", "#232323")
    window, text, base = dark if is_dark else light
    palette = qt.QPalette()
    for role in (qt.QPalette.Window, qt.QPalette.Button, qt.QPalette.AlternateBase):
        palette.setColor(role, qt.QColor(window))
    for role in (qt.QPalette.WindowText, qt.QPalette.ButtonText, qt.QPalette.Text):
        palette.setColor(role, qt.QColor(text))
        palette.setColor(qt.QPalette.Disabled, role, qt.QColor("#808080"))
    palette.setColor(qt.QPalette.Base, qt.QColor(base))
    slicer.app.setPalette(palette)


def use_worker(panel: Any, mode: str) -> None:
    panel.logic._client._command = [
        sys.executable, str(ROOT / "Testing" / "slicer" / "fake_worker.py"), mode
    ]  # fmt: skip


def load(panel: Any, aneurysms: int = 1) -> Any:
    """A volume with a ball as a vessel and balls as aneurysms."""
    import numpy as np
    import slicer.util

    matrix = np.diag([0.8, 0.8, 0.8, 1.0])
    matrix[:3, 3] = (-21.0, -24.4, -15.8)
    k, j, i = np.meshgrid(*[np.arange(n) for n in (52, 56, 60)], indexing="ij")
    ras = (np.stack([i, j, k, np.ones_like(i)], axis=-1) @ matrix.T)[..., :3]
    array = np.zeros(i.shape, np.float32)
    balls = [((3, -2, 5), 8, 100), (ANEURYSM, 4, 200), ((-6, 3, 2), 2.5, 200)][: aneurysms + 1]
    for center, radius, value in balls:
        array[np.linalg.norm(ras - center, axis=-1) < radius] = value
    node = slicer.util.addVolumeFromArray(array, matrix, "case 17")
    panel.ui.inputSelector.setCurrentNode(node)
    return node


def segment(panel: Any, aneurysms: int = 1) -> None:
    load(panel, aneurysms)
    panel.ui.segmentButton.click()
    wait(lambda: not panel.logic.isRunning)
    wait_for_table(panel)


def wait_for_table(panel: Any) -> None:
    wait(lambda: "easuring" not in panel.ui.editedLabel.text)


def measuring(panel: Any) -> None:
    """The run is over, its aneurysms are being measured."""
    load(panel)
    panel.ui.segmentButton.click()
    wait(lambda: not panel.logic.isRunning)


def not_measured(panel: Any) -> None:
    """The process that measures could not be started."""
    from GSEMASegmentationLib.correct import BackgroundMeasurement

    original = BackgroundMeasurement.measureCommand
    BackgroundMeasurement.measureCommand = lambda: ["no such program"]
    segment(panel)
    BackgroundMeasurement.measureCommand = original


def empty(panel: Any) -> None:
    """Nothing is loaded."""


def packages_missing(panel: Any) -> None:
    from GSEMASegmentationLib.install import Requirements

    original = Requirements.installedVersion
    Requirements.installedVersion = lambda package: None
    load(panel)
    panel.installation.refresh()
    panel.ui.installationCollapsibleButton.collapsed = False
    Requirements.installedVersion = original


def ready(panel: Any) -> None:
    load(panel)


def running(panel: Any) -> None:
    use_worker(panel, "waits")
    load(panel)
    panel.ui.segmentButton.click()
    wait(lambda: panel.ui.progressBar.value >= 100)


def failed(panel: Any) -> None:
    use_worker(panel, "error")
    load(panel)
    panel.ui.segmentButton.click()
    wait(lambda: not panel.logic.isRunning)


def done(panel: Any) -> None:
    segment(panel)


def neck_shown(panel: Any) -> None:
    segment(panel)
    panel.ui.neckCheckBox.click()


def none_found(panel: Any) -> None:
    segment(panel, aneurysms=0)


def clicking(panel: Any) -> None:
    load(panel)
    panel.ui.clickButton.click()
    wait(lambda: not panel.logic._client._requests)


def clicked(panel: Any) -> None:
    click(panel, ANEURYSM)


def clicked_on_nothing(panel: Any) -> None:
    click(panel, NOTHING)


def click(panel: Any, ras: tuple[float, float, float]) -> None:
    load(panel)
    panel.clicks.onPoint(ras)
    wait(lambda: not panel.logic._client._requests and not panel.logic.isRunning)


def edited(panel: Any) -> None:
    """One aneurysm is edited and being measured again, the other one is rejected."""
    import slicer.util

    segment(panel, aneurysms=2)
    panel.ui.aneurysmTable.setCurrentCell(1, 0)
    panel.ui.rejectButton.click()
    wait_for_table(panel)
    node, volume = panel.ui.outputSelector.currentNode(), panel.ui.inputSelector.currentNode()
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, "GSEMA_Aneurysm", volume)
    mask[:, :, ::2] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, "GSEMA_Aneurysm", volume)
    panel.results.lookNow()


def neck_elsewhere(panel: Any) -> None:
    """The neck's plane was moved to where it divides nothing."""
    import slicer.util

    neck_shown(panel)
    (plane,) = slicer.util.getNodesByClass("vtkMRMLMarkupsPlaneNode")
    plane.SetOriginWorld(23.0, 1.0, 3.0)
    panel.logic.necks.cutNow()


def everything_open(panel: Any) -> None:
    segment(panel)
    for name in ("teacher", "advanced", "installation"):
        getattr(panel.ui, f"{name}CollapsibleButton").collapsed = False
    panel.ui.teacherCardButton.checked = True


STATES = {
    state.__name__: state
    for state in (empty, packages_missing, ready, running, failed, measuring, not_measured, done,
                  none_found, clicking, clicked, clicked_on_nothing, neck_shown, neck_elsewhere,
                  edited, everything_open)
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
