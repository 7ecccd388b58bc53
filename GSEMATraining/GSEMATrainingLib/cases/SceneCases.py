"""Labelled scans of the scene: which volume belongs to which segmentation, and what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from GSEMASegmentationLib.scene.Bending import frameOf
from GSEMASegmentationLib.scene.Coordinates import checkLinear, ijkToRas, matrixBetween
from GSEMASegmentationLib.scene.Hierarchy import subjectHierarchy
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing
from GSEMASegmentationLib.scene.SegmentMasks import (
    imageArray,
    maskInBox,
    segmentImage,
    voxelMm3,
)
from GSEMASegmentationLib.scene.VolumeChoice import checkVolume
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.files.label_words import meaning_of
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL
from GSEMATrainingLib.cases.TrainingCase import TrainingCase


@dataclass(frozen=True, eq=False)
class ScenePair:
    """A volume, the segmentation that labels it, and the patient by the subject hierarchy."""

    volume: Any
    segmentation: Any
    patient: str


def scenePairs() -> list[ScenePair]:
    """Every segmentation of the scene with its volume.

    That is the volume whose grid the segmentation has, else the only one of the same study, else
    the only one of the scene.
    """
    volumes = _volumes(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"))
    pairs = []
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        volume = _volumeOf(node, volumes)
        if volume is not None and node.GetSegmentation().GetNumberOfSegments():
            pairs.append(ScenePair(volume, node, _patientOf(volume)))
    return pairs


def pairsOf(nodes: Iterable[Any]) -> list[ScenePair]:
    """The pairs of the scene that these volumes and segmentations belong to.

    One volume and one segmentation are a pair, whatever their grids say: somebody chose them.
    """
    chosen = list(nodes)
    volumes = _volumes(chosen)
    segmentations = [node for node in chosen if node.IsA("vtkMRMLSegmentationNode")]
    if len(volumes) == len(segmentations) == 1:
        return [ScenePair(volumes[0], segmentations[0], _patientOf(volumes[0]))]
    return [pair for pair in scenePairs() if pair.volume in chosen or pair.segmentation in chosen]


def sceneWarnings(pairs: Iterable[ScenePair]) -> list[str]:
    """What of the scene is not, or more than once, among the pairs; a sentence each."""
    paired = list(pairs)
    known = [pair.segmentation for pair in paired]
    lonely = [
        node.GetName()
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        if node not in known and node.GetSegmentation().GetNumberOfSegments()
    ]
    sentences = []
    if lonely:
        text = _(
            "Left out, as their volume is not known: {names}. Drag such a segmentation and its "
            "volume together onto the table."
        )
        sentences.append(text.format(names=", ".join(lonely)))
    volumes = [pair.volume for pair in paired]
    for volume in dict.fromkeys(one for one in volumes if volumes.count(one) > 1):
        text = _("{name} has several segmentations: remove the rows that must not be learned.")
        sentences.append(text.format(name=volume.GetName()))
    return sentences


def guessedLabels(pairs: Iterable[ScenePair]) -> dict[str, int]:
    """Guess the label of each segment name, by terminology or by words in it; 0 for neither."""
    guesses: dict[str, int] = {}
    for pair in pairs:
        segmentation = pair.segmentation.GetSegmentation()
        found = {
            segmentId: label
            for label in (VESSEL, ANEURYSM)
            for segmentId in segmentsShowing(pair.segmentation, label)
        }
        for segmentId in segmentation.GetSegmentIDs():
            name = segmentation.GetSegment(segmentId).GetName()
            guess = found.get(segmentId) or meaning_of(name)
            known = guess if guess in (VESSEL, ANEURYSM) else BACKGROUND
            guesses[name] = guesses.get(name, BACKGROUND) or known
    return guesses


def labelsById(segmentation: Any, byName: Mapping[str, int]) -> dict[str, int]:
    """Segment id to label value, without the segments that are neither vessel nor aneurysm."""
    segments = segmentation.GetSegmentation()
    names = {one: segments.GetSegment(one).GetName() for one in segments.GetSegmentIDs()}
    return {segmentId: byName[name] for segmentId, name in names.items() if byName.get(name)}


def sceneFacts(volume: Any, segmentation: Any, labels: Mapping[str, int]) -> dict[str, Any]:
    """What the table shows of a pair, counted in the segments' own voxels.

    Args:
        volume: the angiography.
        segmentation: its segmentation.
        labels: segment id to label value.

    Returns:
        ``TrainingCase`` fields; with a ``problem`` where it cannot be used.
    """
    facts: dict[str, Any] = {"spacingMm": (), "vesselMl": 0.0, "aneurysmMl": 0.0, "aneurysms": 0}
    try:
        checkPair(volume, segmentation, labels)
    except UserError as error:
        return {**facts, "problem": str(error)}
    ml = dict.fromkeys((VESSEL, ANEURYSM), 0.0)
    count = 0
    for segmentId, label in labels.items():
        image = segmentImage(segmentation, segmentId)
        if image is None:
            continue
        ml[label] += float(imageArray(image).sum()) * voxelMm3(image) / 1000.0
        count += _pieces(image) if label == ANEURYSM else 0
    problem = "" if any(ml.values()) else _("All of its segments are empty: draw them first.")
    return {
        "spacingMm": tuple(round(side, 4) for side in volume.GetSpacing()),
        "vesselMl": round(ml[VESSEL], 4),
        "aneurysmMl": round(ml[ANEURYSM], 4),
        "aneurysms": count,
        "problem": problem,
    }


def sceneCase(
    volume: Any, segmentation: Any, byName: Mapping[str, int], patient: str, center: str
) -> TrainingCase:
    """A pair as a row of the table; ``byName`` says what segments of a name are."""
    labels = labelsById(segmentation, byName)
    facts = sceneFacts(volume, segmentation, labels)
    return TrainingCase("", patient, center, labels=labels, **facts)


def checkPair(volume: Any, segmentation: Any, labels: Mapping[str, int]) -> None:
    """Raise UserError, one sentence, unless the pair can be trained on."""
    if volume is None or segmentation is None:
        raise UserError(_("Its volume or segmentation is not in the scene any more: remove it."))
    checkVolume(volume)
    checkLinear(segmentation)
    present = set(segmentation.GetSegmentation().GetSegmentIDs())
    if not present & set(labels):
        raise UserError(
            _("No segment is known as vessel or aneurysm: name them so, and add it again.")
        )


def labelArray(volume: Any, segmentation: Any, labels: Mapping[str, int]) -> np.ndarray:
    """The segments as a label map on the volume's own grid, (k, j, i), uint8.

    Where vessels and aneurysms overlap, it is aneurysm. Segments and volume may lie on different
    grids and under different linear transforms.

    Raises:
        UserError: nothing of the segments lies in the volume.
    """
    box = _boxOf(volume, segmentation)
    array = np.zeros(volume.GetImageData().GetDimensions()[::-1], np.uint8)
    for segmentId, label in sorted(labels.items(), key=lambda item: item[1]):
        if segmentation.GetSegmentation().GetSegment(segmentId) is not None:
            array[maskInBox(segmentation, segmentId, box)] = label
    if not array.any():
        raise UserError(
            _("Nothing of {segmentation} lies within {volume}: pair it with its own scan.").format(
                segmentation=segmentation.GetName(), volume=volume.GetName()
            )
        )
    return array


def _boxOf(volume: Any, segmentation: Any) -> Any:
    """The volume's grid without voxels, in the segmentation's own frame."""
    move = matrixBetween(frameOf(volume), segmentation.GetParentTransformNode())
    grid = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Multiply4x4(move, ijkToRas(volume), grid)
    width, height, depth = volume.GetImageData().GetDimensions()
    box = slicer.vtkOrientedImageData()
    box.SetExtent(0, width - 1, 0, height - 1, 0, depth - 1)
    box.SetGeometryFromImageToWorldMatrix(grid)
    return box


def _pieces(image: Any) -> int:
    from gsema_core.grids.components import connected_components  # scipy: not at start-up

    return int(connected_components(imageArray(image) != 0)[1])


def _volumes(nodes: Iterable[Any]) -> list[Any]:
    scalars = [node for node in nodes if node.IsA("vtkMRMLScalarVolumeNode")]
    return [node for node in scalars if not node.IsA("vtkMRMLLabelMapVolumeNode")]


def _volumeOf(segmentation: Any, volumes: list[Any]) -> Any:
    role = segmentation.GetReferenceImageGeometryReferenceRole()
    reference = segmentation.GetNodeReference(role)
    if reference in volumes:
        return reference
    for candidates in (_siblings(segmentation, volumes), volumes):
        if len(candidates) == 1:
            return candidates[0]
    return None


def _siblings(segmentation: Any, volumes: list[Any]) -> list[Any]:
    """The volumes in the segmentation's own study or folder."""
    hierarchy = subjectHierarchy()
    parent = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(segmentation))
    if parent == hierarchy.GetSceneItemID():
        return []
    items = {volume: hierarchy.GetItemByDataNode(volume) for volume in volumes}
    return [one for one, item in items.items() if hierarchy.GetItemParent(item) == parent]


def _patientOf(volume: Any) -> str:
    """The patient's name in the subject hierarchy, else the volume's own name."""
    hierarchy = subjectHierarchy()
    item = hierarchy.GetItemByDataNode(volume)
    patient = hierarchy.GetItemAncestorAtLevel(item, "Patient") if item else 0
    return (hierarchy.GetItemName(patient) if patient else "") or volume.GetName()
