"""The picture of a neck plane for the documentation: docs/images/neck.png.

usage: python demo/neck_picture.py [FILE.png]
A simulated aneurysm with its plane as fitted, and after the plane was moved and turned.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]

# Only for this import: the package slicer adopts every folder of its name on the path, and there
# is one beside the harness.
sys.path.insert(0, str(ROOT / "Testing"))
import slicer_harness  # noqa: E402

sys.path.remove(str(ROOT / "Testing"))

FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # LPS and RAS
UP_MM, TURN_DEGREES = 1.3, 20.0


def main(arguments: list[str]) -> int:
    path = Path(arguments[0]) if arguments else ROOT / "docs" / "images" / "neck.png"
    missing = slicer_harness.missing_libraries()
    if missing:
        print(f"error: {', '.join(missing)} cannot be loaded; run", file=sys.stderr)
        print(f"  {slicer_harness.INSTALL_COMMAND}", file=sys.stderr)
        return 1
    slicer_harness.boot(with_widgets=True)
    from slicer_harness.loader import load_module
    from slicer_harness.views import beside, write_png

    module = load_module(ROOT / "GSEMASegmentation" / "GSEMASegmentation.py")
    logic = module.GSEMASegmentationLogic()
    node = phantom(module)
    logic.showNecks(node)
    import slicer.util

    (plane,) = slicer.util.getNodesByClass("vtkMRMLMarkupsPlaneNode")
    origin, normal = np.array(plane.GetOriginWorld()), np.array(plane.GetNormalWorld())
    aside = np.cross(normal, (0.0, 0.0, 1.0))
    aside /= np.linalg.norm(aside)
    view = look_at(origin, aside, normal)
    fitted = view.image()
    turn = np.radians(TURN_DEGREES)
    turned = np.cos(turn) * normal + np.sin(turn) * np.cross(normal, aside)
    logic.cutAtPlane(
        node, plane.GetAttribute("GSEMASegmentation.neck"), origin + UP_MM * normal, turned
    )
    view.window.Render()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(beside(fitted, view.image()), path)
    print(path)
    return 0


def phantom(module: Any) -> Any:
    """A segmentation of a made-up vessel tree with one aneurysm."""
    import slicer.util

    from gsema_core.simulation import make_phantom

    labels = make_phantom(seed=5, spacing_mm=0.3)
    origin = labels.geometry.index_to_world((0, 0, 0))
    matrix = np.eye(4)
    matrix[:3, :3] = (labels.geometry.index_to_world(np.eye(3)) - origin).T
    matrix[:3, 3] = origin
    volume = slicer.util.addVolumeFromArray(labels.array, FLIP @ matrix, name="phantom")
    return module.importSegments(module.segmentsOf(labels.array), volume, None)


def look_at(origin: np.ndarray, aside: np.ndarray, up: np.ndarray) -> Any:
    """A 3D view onto a neck, a little from above."""
    from slicer_harness.views import ThreeDView

    view = ThreeDView(size=(420, 380))
    view.window.Render()
    camera = view.renderer.GetActiveCamera()
    camera.SetFocalPoint(*origin)
    camera.SetPosition(*(origin + 36 * aside + 14 * up))
    camera.SetViewUp(*up)
    view.renderer.ResetCameraClippingRange()
    view.window.Render()
    return view


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
