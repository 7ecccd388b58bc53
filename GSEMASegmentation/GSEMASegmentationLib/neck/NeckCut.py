"""An aneurysm and its vessel, taken out of the scene to be divided at planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM
from GSEMASegmentationLib.neck.NeckPlace import Plane, boxAround, boxOf
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing
from GSEMASegmentationLib.scene.SegmentMasks import (
    LABELMAP,
    boxSlices,
    cropped,
    gridOf,
    maskInBox,
    segmentImage,
)
from GSEMASegmentationLib.scene.SegmentPatch import SegmentPatch
from GSEMASegmentationLib.scene.TouchedVessel import touchedVessel

if TYPE_CHECKING:  # scipy: not at start-up
    from gsema_core.measurements import Lumen


@dataclass(eq=False)
class NeckCut:
    """What planes divide: the aneurysm and its vessel as they were before the first plane.

    Attributes:
        node: the segmentation.
        segmentId: the aneurysm's segment.
        vesselId: the segment of the vessel that it sits on.
        grid: vtkMatrix4x4 of both segments' grid.
        startIjk: index of the box's first voxel.
        sac, vessel: (k, j, i) bool, both segments in the box before the first plane.
        others: (k, j, i) bool, all other aneurysms.
        now: both segments as the last plane left them.
    """

    node: Any
    segmentId: str
    vesselId: str
    grid: Any
    startIjk: np.ndarray
    sac: np.ndarray
    vessel: np.ndarray
    others: np.ndarray
    now: tuple[np.ndarray, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.sac, self.vessel

    @classmethod
    def of(cls, node: Any, segmentId: str, plane: Plane | None = None) -> NeckCut:
        """Take an aneurysm out of the scene, with its surroundings.

        Args:
            node: the segmentation.
            segmentId: the aneurysm's segment.
            plane: one that the box has to reach, in the segmentation's own frame; None for none.

        Raises:
            UserError: it cannot be cut: one sentence says why, and what to do.
        """
        name = checkAneurysm(node, segmentId)
        image = segmentImage(node, segmentId)
        if image is None:
            raise UserError(_("{name} is empty: there is nothing to cut.").format(name=name))
        vesselId = _vesselBelow(node, image, name)
        box = boxAround(node, gridOf(image), np.array(image.GetExtent()), plane, name)
        sac, vessel = (maskInBox(node, one, box) for one in (segmentId, vesselId))
        start, others = np.array(box.GetExtent()[::2]), _others(node, segmentId, box)
        return cls(node, segmentId, vesselId, gridOf(box), start, sac, vessel, others)

    @classmethod
    def at(cls, cut: NeckCut, box: Any, sac: np.ndarray, vessel: np.ndarray) -> NeckCut:
        """The same aneurysm in another box, where both were this before the first plane."""
        others, start = _others(cut.node, cut.segmentId, box), np.array(box.GetExtent()[::2])
        return cls(cut.node, cut.segmentId, cut.vesselId, cut.grid, start, sac, vessel, others)

    @property
    def box(self) -> Any:
        """The box as an image without voxels."""
        last = self.startIjk + self.sac.shape[::-1] - 1
        return boxOf(self.grid, np.stack([self.startIjk, last], axis=1).ravel())

    @cached_property
    def lumen(self) -> Lumen:
        """Both before the first plane, as the program divides them."""
        from gsema_core.measurements import Lumen

        spacing = np.array(self.box.GetSpacing())[::-1]
        return Lumen(self.vessel & ~self.others, self.sac, spacing)

    def isOf(self, node: Any) -> bool:
        """Whether it is of this segmentation, and both segments are still there."""
        if node is not self.node or not slicer.mrmlScene.IsNodePresent(node):
            return False
        segmentation = self.node.GetSegmentation()
        return all(segmentation.GetSegment(one) for one in (self.segmentId, self.vesselId))

    @property
    def isUncut(self) -> bool:
        """Whether both are now as they were before the first plane."""
        return all(map(np.array_equal, self.now, (self.sac, self.vessel)))

    def inScene(self) -> tuple[np.ndarray, np.ndarray]:
        """Both segments in the box, as they are in the scene now."""
        sac, vessel = (maskInBox(self.node, one, self.box) for one in self.ids)
        return sac, vessel

    def current(self) -> NeckCut | None:
        """The same with what somebody has changed of the vessel elsewhere in the box.

        Returns:
            None where the aneurysm itself was changed since the last plane, or the vessel where
            planes have moved its wall: then it is another aneurysm.
        """
        sac, vessel = self.inScene()
        changed = vessel != self.now[1]
        if not np.array_equal(sac, self.now[0]) or (changed & (self.sac | sac)).any():
            return None
        if not changed.any():
            return self
        taken = _others(self.node, self.segmentId, self.box) & ~sac
        cut = NeckCut.at(self, self.box, self.sac & ~taken, np.where(changed, vessel, self.vessel))
        cut.now = sac, vessel
        return cut

    @property
    def ids(self) -> tuple[str, str]:
        """The two segments."""
        return self.segmentId, self.vesselId

    def reaching(self, plane: Plane) -> NeckCut:
        """The same with a box that reaches a plane (in the segmentation's own frame).

        Raises:
            UserError: the plane is too far from the aneurysm.
        """
        inside = np.argwhere(self.sac)[:, ::-1] + self.startIjk
        extent = np.stack([inside.min(axis=0), inside.max(axis=0)], axis=1).ravel()
        name = self.node.GetSegmentation().GetSegment(self.segmentId).GetName()
        wanted = np.array(boxAround(self.node, self.grid, extent, plane, name).GetExtent())
        own = np.array(self.box.GetExtent())
        if (wanted[::2] >= own[::2]).all() and (wanted[1::2] <= own[1::2]).all():
            return self
        low, high = np.minimum(wanted[::2], own[::2]), np.maximum(wanted[1::2], own[1::2])
        box = boxOf(self.grid, np.stack([low, high], axis=1).ravel())
        sac, vessel = (maskInBox(self.node, one, box) for one in self.ids)
        now = sac.copy(), vessel.copy()
        part = boxSlices(own[::2], own[1::2] + 1, box.GetExtent())
        sac[part], vessel[part] = self.sac, self.vessel
        larger = NeckCut.at(self, box, sac, vessel)
        larger.now = now
        return larger

    def divide(self, plane: Plane) -> tuple[np.ndarray, np.ndarray]:
        """Both segments in the box as a plane divides them; nothing changes yet.

        Args:
            plane: in the segmentation's own frame.

        Raises:
            UserError: the plane separates no sac from its vessel.
        """
        from gsema_core.measurements import divide_at_plane

        center, normal = self._inBox(plane)
        sac = divide_at_plane(self.lumen, center, normal)
        return sac, (self.vessel | (self.sac & ~sac)) & ~(sac & ~self.sac)

    def patches(
        self, before: Sequence[np.ndarray], after: Sequence[np.ndarray]
    ) -> list[SegmentPatch]:
        """Both segments' change: the aneurysm's in the box, the vessel's where it changes."""
        part, first = _whereChanged(before[1], after[1])
        return [
            self._patch(self.segmentId, before[0], after[0], np.zeros(3, int)),
            self._patch(self.vesselId, before[1][part], after[1][part], first),
        ]

    def _patch(
        self, segmentId: str, before: np.ndarray, after: np.ndarray, first: np.ndarray
    ) -> SegmentPatch:
        i, j, k = (self.startIjk + first[::-1]).tolist()
        return SegmentPatch(segmentId, self.grid, (i, j, k), before, after)

    def fit(self) -> Plane | str:
        """The plane across the neck before the first plane, in the segmentation's own frame.

        Returns:
            Or the reason why there is none.
        """
        from gsema_core.grids.components import connected_components
        from gsema_core.measurements.interface import faces_between
        from gsema_core.measurements.neck import NoNeck, find_neck

        parts, count = connected_components(self.sac)
        largest = int(np.bincount(parts.ravel(), minlength=count + 1)[1:].argmax()) + 1
        lumen = self.lumen
        only = lumen.vessel & ~self.sac
        faces = faces_between(parts == largest, only, lumen.spacing, np.zeros(3, dtype=int))
        neck = find_neck(faces, self.sac.shape)
        if isinstance(neck, NoNeck):
            return neck.reason
        index = self.startIjk + (neck.center / lumen.spacing)[::-1]
        toLocal = slicer.util.arrayFromVTKMatrix(self.grid)
        normal = np.linalg.inv(toLocal[:3, :3]).T @ (neck.normal * lumen.spacing)[::-1]
        return (toLocal @ [*index, 1.0])[:3], normal / np.linalg.norm(normal)

    def _toIndex(self) -> np.ndarray:
        return np.linalg.inv(slicer.util.arrayFromVTKMatrix(self.grid))

    def _inBox(self, plane: Plane) -> tuple[np.ndarray, np.ndarray]:
        """A plane in mm along the box's (k, j, i), from its first voxel."""
        spacing = self.lumen.spacing
        index = (self._toIndex() @ [*plane[0], 1.0])[:3] - self.startIjk
        # Heights above a plane are linear in the index: this is exact on any grid.
        slope = slicer.util.arrayFromVTKMatrix(self.grid)[:3, :3].T @ plane[1]
        return index[::-1] * spacing, slope[::-1] / spacing


def checkAneurysm(node: Any, segmentId: str) -> str:
    """The name of an aneurysm's segment.

    Raises:
        UserError: there is none, or it is stored in a way that cannot be cut.
    """
    if node is None or not node.IsA("vtkMRMLSegmentationNode"):
        raise UserError(_("There is nothing to cut: choose a segmentation."))
    segmentation = node.GetSegmentation()
    segment = segmentation.GetSegment(segmentId)
    if segment is None or segmentId not in segmentsShowing(node, ANEURYSM):
        raise UserError(
            _("{segmentation} has no aneurysm {segment}: choose one of {known}.").format(
                segmentation=node.GetName(),
                segment=segmentId,
                known=", ".join(segmentsShowing(node, ANEURYSM)) or _("none"),
            )
        )
    if segmentation.GetSourceRepresentationName() != LABELMAP:
        raise UserError(
            _(
                "The segmentation {name} is stored as surfaces: make the binary labelmap its "
                "source in the module Segmentations."
            ).format(name=node.GetName())
        )
    return str(segment.GetName())


def _vesselBelow(node: Any, image: Any, name: str) -> str:
    """The vessel segment that an aneurysm sits on.

    Raises:
        UserError: there is none, or it is on another grid.
    """
    vesselId = touchedVessel(node, image)
    if not vesselId:
        raise UserError(
            _(
                "{name} has no vessel that it could be cut from: add a segment called Vessel."
            ).format(name=name)
        )
    vessel = node.GetSegmentation().GetSegment(vesselId)
    voxels = vessel.GetRepresentation(LABELMAP)
    match = slicer.vtkOrientedImageDataResample.DoGeometriesMatch
    if voxels is not None and not voxels.IsEmpty() and not match(voxels, image):
        raise UserError(
            _(
                "{name} and {vessel} have voxels of different grids: copy both into one "
                "segmentation of the volume in the module Segmentations, and cut there."
            ).format(name=name, vessel=vessel.GetName())
        )
    return vesselId


def _others(node: Any, segmentId: str, box: Any) -> np.ndarray:
    """(k, j, i) bool, the other aneurysms in a box."""
    others = np.zeros(box.GetDimensions()[::-1], bool)
    for one in segmentsShowing(node, ANEURYSM):
        if one != segmentId:
            others |= maskInBox(node, one, box)
    return others


def _whereChanged(before: np.ndarray, after: np.ndarray) -> tuple[Any, np.ndarray]:
    """The smallest part of two masks that has all differences, at least a voxel; its first one."""
    mask, start = cropped(before != after)
    shape = mask.shape if mask.size else (1, 1, 1)
    part = tuple(slice(first, first + count) for first, count in zip(start, shape, strict=True))
    return part, np.array(start)
