"""What a DICOM file's header says of its images: where each frame lies, and what its values mean.

A frame's place comes from its functional groups (PS3.3, C.7.6.16), from the file itself where
there is one frame (C.7.6.2), or from the first frame's place and the frames' distances in older
objects (C.8.8.3.2, C.7.6.2.1). Nothing is assumed where a file is silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from gsema_core.files.dicom.elements import items_of, text_of, vector_of
from gsema_core.files.dicom.guard import pydicom_watched
from gsema_core.files.dicom.picture import Picture
from gsema_core.files.voxel_data import DamagedFile


@dataclass(frozen=True, eq=False)
class Frame:
    """One plane of voxels.

    Attributes:
        index: in its file.
        position: mm (LPS) of its first voxel.
        orientation: unit vectors (LPS) along a row and down a column.
        spacing: mm between columns and between rows: along a row first, as grids have it.
        slope, intercept: what turns stored values into physical ones.
        has_unit: whether these are more than 1 and 0, or said to be Hounsfield units.
    """

    picture: Picture
    index: int
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]
    slope: float
    intercept: float
    has_unit: bool


def frames_of(picture: Picture) -> list[Frame]:
    """The frames of a file; those that say no place have no values there.

    Raises:
        DamagedFile: the places are fewer than the frames, or values have no meaning.
    """
    with pydicom_watched():
        return list(_frames(picture))


def _frames(picture: Picture) -> Iterator[Frame]:
    header = picture.header
    shared = next(iter(items_of(header, "SharedFunctionalGroupsSequence")), None)
    each = items_of(header, "PerFrameFunctionalGroupsSequence")
    if len(each) not in (0, picture.count):
        raise DamagedFile(f"places of {len(each)} of {picture.count} frames")
    offsets = _offsets(header, picture.count)
    for index in range(picture.count):
        groups = [group for group in (each[index] if each else None, shared) if group is not None]
        position = _numbers(groups, "PlanePositionSequence", "ImagePositionPatient", 3)
        orientation = _numbers(groups, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
        orientation = orientation or vector_of(header, "ImageOrientationPatient", 6)
        if not position and (picture.count == 1 or offsets):
            position = _moved(header, orientation, offsets[index] if offsets else 0.0)
        spacing = _numbers(groups, "PixelMeasuresSequence", "PixelSpacing", 2)
        spacing = spacing or vector_of(header, "PixelSpacing", 2)
        yield Frame(picture, index, position, orientation, spacing[::-1], *_rescale(header, groups))


def _offsets(header: Dataset, count: int) -> list[float]:
    """Of an older object: mm from its first frame to each along the normal."""
    listed = vector_of(header, "GridFrameOffsetVector", count)
    if listed:
        return [offset - listed[0] for offset in listed]
    between = vector_of(header, "SpacingBetweenSlices", 1)
    return [index * between[0] for index in range(count)] if between else []


def _moved(header: Dataset, orientation: Sequence[float], offset: float) -> tuple[float, ...]:
    position = vector_of(header, "ImagePositionPatient", 3)
    if not position or not orientation:
        return position
    normal = np.cross(orientation[:3], orientation[3:])
    return tuple(float(x) for x in np.array(position) + offset * normal)


def _rescale(header: Dataset, groups: Sequence[Dataset]) -> tuple[float, float, bool]:
    """Slope, intercept, and whether these make a physical unit."""
    places = [
        item for group in groups for item in items_of(group, "PixelValueTransformationSequence")
    ]
    places.append(header)
    places += items_of(header, "PixelValueTransformationSequence")
    for item in items_of(header, "XRay3DReconstructionSequence"):
        places += [item, *items_of(item, "PixelValueTransformationSequence")]
    for place in places:
        slope = vector_of(place, "RescaleSlope", 1)
        intercept = vector_of(place, "RescaleIntercept", 1)
        if slope or intercept:
            factor, shift = (slope or (1.0,))[0], (intercept or (0.0,))[0]
            if factor == 0:
                raise DamagedFile("a rescale slope of zero")
            unit = text_of(place, "RescaleType") == "HU" or (factor, shift) != (1, 0)
            return factor, shift, unit
    return 1.0, 0.0, False


def _numbers(groups: Sequence[Dataset], sequence: str, name: str, count: int) -> tuple[float, ...]:
    """A vector in the functional groups: the frame's own before the shared one."""
    for group in groups:
        for item in items_of(group, sequence):
            if found := vector_of(item, name, count):
                return found
    return ()
