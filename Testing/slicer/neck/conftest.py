"""A sac on a vessel in a scene, on grids of every kind, beside segments of others."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util

from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.terminology import terminology_entry

SAC, VESSEL_ID = "GSEMA_Aneurysm", "GSEMA_Vessel"
CENTER, RADIUS = np.array([2.0, 5.0, 3.0]), 5.0
"""Of the ball that the sac is a part of, in the world (RAS mm)."""

AXIS, TUBE = np.array([0.0, -2.0, 3.0]), 2.4
"""A point of the vessel's axis, which runs along R, and its radius."""

PLAIN = np.diag([0.6, 0.6, 0.6, 1.0])
PLAIN[:3, 3] = -18, -17, -15


class Case:
    """A segmentation with a vessel, two aneurysms and somebody's bone, all in the world's mm."""

    def __init__(self, matrix, parent, shape=(52, 56, 60)):
        scene = slicer.mrmlScene
        self.world = (np.eye(4) if parent is None else parent) @ matrix
        k, j, i = np.indices(shape)
        self.points = (np.stack([i, j, k, np.ones_like(i)], -1) @ self.world.T)[..., :3]
        self.volume = slicer.util.addVolumeFromArray(np.zeros(shape, np.float32), matrix, "scan")
        self.node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "scan aneurysms")
        self.node.CreateDefaultDisplayNodes()
        if parent is not None:
            self.transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
            self.transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(parent))
            for one in (self.volume, self.node):
                one.SetAndObserveTransformNodeID(self.transform.GetID())
        self.node.SetReferenceImageGeometryParameterFromVolumeNode(self.volume)
        ball = np.linalg.norm(self.points - CENTER, axis=-1) <= RADIUS
        tube = np.linalg.norm((self.points - AXIS)[..., 1:], axis=-1) <= TUBE
        second = np.linalg.norm(self.points - (-9, 1.6, 3), axis=-1) <= 2.6
        self.add(VESSEL_ID, "Vessel", tube, VESSEL)
        self.add(SAC, "Aneurysm 1", ball & ~tube, ANEURYSM)
        self.add("GSEMA_Aneurysm_2", "Aneurysm 2", second & ~tube & ~ball, ANEURYSM)
        # On the sac's side and far away, in the label map of the others.
        self.add("bone", "Bone", (self.points[..., 2] < -6) & ~tube & ~ball & ~second)
        self.node.CreateClosedSurfaceRepresentation()

    def add(self, segment_id, name, mask, label=None):
        segmentation = self.node.GetSegmentation()
        segmentation.AddEmptySegment(segment_id, name)
        if label is not None:
            segment = segmentation.GetSegment(segment_id)
            segment.SetTag(segment.GetTerminologyEntryTagName(), terminology_entry(label))
        self.draw(segment_id, mask)

    def draw(self, segment_id, mask):
        slicer.util.updateSegmentBinaryLabelmapFromArray(
            mask.astype(np.uint8), self.node, segment_id, self.volume
        )

    def mask(self, segment_id):
        """(k, j, i) on the volume's grid; leaves no node behind."""
        from GSEMASegmentationLib.scene.SegmentMasks import maskInBox, orientedImage

        matrix = slicer.util.vtkMatrixFromArray(np.eye(4))
        self.volume.GetIJKToRASMatrix(matrix)
        box = orientedImage(np.zeros(self.points.shape[:3]), (0, 0, 0), matrix)
        return maskInBox(self.node, segment_id, box)

    def masks(self):
        return {one: self.mask(one) for one in self.node.GetSegmentation().GetSegmentIDs()}

    def above(self, origin, normal):
        return (self.points - origin) @ np.asarray(normal, float) > 0

    def surface(self, segment_id):
        """The points of a surface in the segmentation's frame, and how many triangles it has."""
        from vtk.util import numpy_support

        surface = self.node.GetClosedSurfaceInternalRepresentation(segment_id)
        points = numpy_support.vtk_to_numpy(surface.GetPoints().GetData())
        corners = numpy_support.vtk_to_numpy(surface.GetPolys().GetConnectivityArray())
        return points[np.unique(corners)], surface.GetNumberOfPolys()


@pytest.fixture
def same(scene):
    """Whether two masks are the same, said in one line."""

    def compared(one, other):
        return one.shape == other.shape and int((one != other).sum()) == 0

    return compared


@pytest.fixture
def make_case(scene):
    return lambda matrix=PLAIN, parent=None: Case(matrix, parent)


@pytest.fixture
def case(make_case):
    return make_case()
