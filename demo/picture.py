"""The demo's picture: a slice with the segments' outlines beside the 3D view."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slicer_harness.views import SliceView, ThreeDView, beside, write_png

SIZE = (560, 560)


def render_case(
    volume_node: Any,
    segmentation_node: Any,
    aneurysms: list[Any],
    path: Path,
    note: str,
) -> None:
    """Render a segmented volume with Slicer's displayable managers into a PNG file.

    Args:
        volume_node: shown in the slice view.
        segmentation_node: its outlines, and its surfaces in the 3D view.
        aneurysms: the slice goes through the first; without any, through the volume's middle.
        path: the PNG file.
        note: written into the picture.
    """
    bounds = [0.0] * 6
    volume_node.GetRASBounds(bounds)
    center = [(bounds[2 * axis] + bounds[2 * axis + 1]) / 2 for axis in range(3)]
    target = aneurysms[0].ras if aneurysms else center
    display = segmentation_node.GetDisplayNode()
    display.SetOpacity2DFill(0.15)
    display.SetSliceIntersectionThickness(2)
    slice_view = SliceView("Green", "Coronal", SIZE)
    slice_view.show_volume(volume_node)
    slice_view.node.JumpSliceByOffsetting(*target)
    slice_view.add_caption(note)
    three_d_view = ThreeDView("1", SIZE)
    three_d_view.reset_camera(zoom=1.3)
    three_d_view.add_caption("Red: vessel. Yellow: aneurysm.")
    write_png(beside(slice_view.image(), three_d_view.image()), path)
