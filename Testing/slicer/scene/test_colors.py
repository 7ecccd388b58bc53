"""Aneurysm and vessel are told apart in the views, also without seeing green; so are the lines."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import slicer
import slicer.util
from slicer_harness.color_vision import ciede2000, deuteranopic, difference
from vtk.util import numpy_support

from gsema_core.labels import ANEURYSM, COLORS, VESSEL

SIZE = 240


def seen(first, second):
    """The difference to most people, and to deuteranopes."""
    return difference(first, second), difference(deuteranopic(first), deuteranopic(second))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_is_that_of_its_authors(first, second, expected):
    """Four of the pairs that Sharma, Wu and Dalal published for checking."""
    assert ciede2000(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-4)


def test_gray_stays_gray_and_red_nears_green():
    assert deuteranopic(np.full(3, 0.5)) == pytest.approx(np.full(3, 0.5), abs=1e-3)
    red, green = np.array([0.8, 0.2, 0.2]), np.array([0.35, 0.45, 0.2])
    usual, without_green = seen(red, green)
    assert without_green < usual / 3


def test_the_segments_colors():
    usual, without_green = seen(np.array(COLORS[VESSEL]), np.array(COLORS[ANEURYSM]))
    assert usual == pytest.approx(47.6, abs=0.1)
    assert without_green == pytest.approx(32.9, abs=0.1)


def test_lines_are_told_apart_from_each_other_and_from_the_segments(segmentation_module):
    from GSEMASegmentationLib.measure.MeasurementLines import KINDS

    lines = [np.array(color) for _title, color in KINDS.values()]
    segments = [np.array(color) for color in COLORS.values()]
    pairs = [*combinations(lines, 2), *((line, one) for line in lines for one in segments)]
    assert min(min(seen(*pair)) for pair in pairs) > 18


def luminance(color):
    """WCAG 2.1's relative luminance of "#rrggbb"."""
    rgb = np.array([int(color[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


@pytest.mark.parametrize("window", ["#efefef", "#ffffff", "#353535", "#1e1e1e"])
def test_errors_can_be_read_on_light_and_dark_windows(harness, segmentation_module, window):
    import qt
    from GSEMASegmentationLib.panels.Widgets import showText

    before, palette = slicer.app.palette(), qt.QPalette()
    palette.setColor(qt.QPalette.Window, qt.QColor(window))
    slicer.app.setPalette(palette)
    try:
        label = qt.QLabel()
        showText(label, "It failed.", isError=True)
    finally:
        slicer.app.setPalette(before)
    lower, higher = sorted((luminance(window), luminance(label.styleSheet.split()[-1])))
    assert (higher + 0.05) / (lower + 0.05) > 4.5


@pytest.fixture
def case(scene, segmentation_module):
    """A tube with a ball on its side, bright in a dark scan, and its segmentation."""
    from GSEMASegmentationLib.scene.SegmentationOutput import importSegments
    from GSEMASegmentationLib.scene.SegmentContent import segmentsOf

    matrix = np.diag([-0.5, -0.5, 0.5, 1.0])
    matrix[:3, 3] = (15.0, 15.0, -15.0)
    k, j, i = np.meshgrid(*[np.arange(60)] * 3, indexing="ij")
    ras = np.stack([i, j, k, np.ones_like(i)], axis=-1) @ matrix.T
    labels = np.where((ras[..., 0] ** 2 + ras[..., 1] ** 2 < 9), VESSEL, 0).astype(np.uint8)
    labels[((ras[..., :3] - (6.0, 0.0, 0.0)) ** 2).sum(axis=-1) < 16] = ANEURYSM
    gray = np.where(labels > 0, 1000.0, 100.0)
    volume = slicer.util.addVolumeFromArray(gray, matrix, name="case")
    volume.CreateDefaultDisplayNodes()
    return volume, importSegments(segmentsOf(labels), volume, None)


def three_d_view(volume, node):
    from GSEMASegmentationLib.scene.ViewHelpers import showAneurysm
    from slicer_harness.views import ThreeDView

    view = ThreeDView("1", (SIZE, SIZE))
    showAneurysm(node, (6.0, 0.0, 0.0), 8.0)
    camera = slicer.modules.cameras.logic().GetViewActiveCameraNode(view.node)
    camera.SetPosition(3.0, 60.0, 0.0)  # both beside each other
    return view


def slice_view(volume, node):
    from slicer_harness.views import SliceView

    view = SliceView("Red", "Axial", (SIZE, SIZE))
    view.show_volume(volume)
    return view


@pytest.mark.parametrize(
    ("make_view", "usual_least", "without_green_least"),
    [(three_d_view, 40.0, 23.0), (slice_view, 33.0, 19.0)],
)
def test_the_segments_as_they_are_rendered(case, make_view, usual_least, without_green_least):
    """The median color of the pixels of each, alone in the view.

    Measured: 41 and 24 in 3D, 35 and 20 as fill and outline over a bright lumen. With two reds,
    RGB (180, 20, 22) and (255, 50, 50), it is 10 and 7 to most people already.
    """
    volume, node = case
    view = make_view(volume, node)
    display, ids = node.GetDisplayNode(), ("GSEMA_Vessel", "GSEMA_Aneurysm")

    def picture(*shown):
        for one in ids:
            display.SetSegmentVisibility(one, one in shown)
        image = view.image()
        array = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
        return array.reshape(-1, 3) / 255

    nothing = picture()
    alone = [picture(one) for one in ids]
    changed = [np.abs(one - nothing).max(axis=1) > 0.05 for one in alone]
    assert min(mask.sum() for mask in changed) > 400
    medians = [np.median(one[mask], axis=0) for one, mask in zip(alone, changed, strict=True)]
    usual, without_green = seen(*medians)
    assert usual > usual_least and without_green > without_green_least
