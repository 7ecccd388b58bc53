"""Patches of segments: written in place, noticed by others, and put back."""

from __future__ import annotations

import numpy as np
import pytest
import slicer

FIRST = "GSEMA_Aneurysm"


@pytest.fixture
def node(make_logic, make_balls):
    return make_logic("good").segment(make_balls())


@pytest.fixture
def patch(node):
    """Takes half of the aneurysm away."""
    from GSEMASegmentationLib.scene.SegmentMasks import gridOf, imageArray, segmentImage
    from GSEMASegmentationLib.scene.SegmentPatch import SegmentPatch

    image = segmentImage(node, FIRST)
    before = imageArray(image) != 0
    after = before.copy()
    after[: len(after) // 2] = False
    return SegmentPatch(FIRST, gridOf(image), tuple(image.GetExtent()[::2]), before, after)


def test_it_fits_before_and_backwards_after(node, patch):
    from GSEMASegmentationLib.scene.SegmentPatch import applyPatches

    assert patch.fits(node) and not patch.reversed.fits(node)
    applyPatches(node, [patch])
    assert patch.reversed.fits(node) and not patch.fits(node)
    applyPatches(node, [patch.reversed])
    assert patch.fits(node)
    node.GetSegmentation().RemoveSegment(FIRST)
    assert not patch.fits(node)


def test_others_notice_it_by_time_and_event(node, patch):
    from GSEMASegmentationLib.scene.SegmentPatch import applyPatches

    image = node.GetSegmentation().GetSegment(FIRST).GetRepresentation("Binary labelmap")
    heard, time = [], image.GetMTime()
    event = slicer.vtkSegmentation.SourceRepresentationModified
    tag = node.AddObserver(event, lambda caller, what: heard.append(what))
    applyPatches(node, [patch])
    node.RemoveObserver(tag)
    assert image.GetMTime() > time  # the label map is the same, in place
    assert node.GetSegmentation().GetSegment(FIRST).GetRepresentation("Binary labelmap") is image
    assert heard


def test_it_does_not_fit_on_another_grid(node, patch):
    image = node.GetSegmentation().GetSegment(FIRST).GetRepresentation("Binary labelmap")
    image.SetSpacing(np.multiply(image.GetSpacing(), 1.1))
    assert not patch.fits(node)


def test_a_segment_may_grow_beyond_its_label_map(node, patch):
    from GSEMASegmentationLib.scene.SegmentMasks import imageArray, segmentImage
    from GSEMASegmentationLib.scene.SegmentPatch import SegmentPatch, applyPatches

    start = tuple(n - 300 for n in patch.startIjk)
    before = np.zeros((2, 3, 4), bool)
    far = SegmentPatch(FIRST, patch.grid, start, before, ~before)
    applyPatches(node, [far])
    assert imageArray(segmentImage(node, FIRST)).sum() == patch.before.sum() + 24
    assert segmentImage(node, FIRST).GetExtent()[::2] == start
    applyPatches(node, [far.reversed])
    assert patch.fits(node)
    assert imageArray(segmentImage(node, FIRST)).sum() == patch.before.sum()
