"""Reading label maps of any program as this project numbers labels."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.files.image_files import check_one_value, read_layers
from gsema_core.files.label_names import both_told, dropped_note, says_neither
from gsema_core.files.label_rules import NO_RULES, LabelRules, Relabel
from gsema_core.files.reading import is_file, read_dicom
from gsema_core.files.slicer_segments import Segment, read_segments, reference_grid
from gsema_core.grids.geometry import Geometry
from gsema_core.grids.placing import put_on_grid
from gsema_core.grids.volume import Volume
from gsema_core.labels import BACKGROUND, CLASSES

NEARLY = 0.01
"""How far a label may lie from its value. A scale of 2/255, as SPM stores the labels 0 to 2, moves
it by 0.004; values between two labels, as interpolation makes, lie further off. Ours."""


MOST_VALUES = 200
"""With more, a file is no label map of vessels: atlases of the brain have about a hundred. Ours."""

SAMPLE = 100_000
"""Voxels that are enough to tell a scan by its values; ours."""


class DroppedLabels(UserWarning):
    """A file has labels that are neither vessel nor aneurysm, and they were left out."""


@contextmanager
def dropped_were_told() -> Iterator[None]:
    """Say nothing of `DroppedLabels` while the block runs, as it was said of all files before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedLabels)
        yield


@dataclass(frozen=True)
class LabelMap:
    """A label map in this project's labels.

    Attributes:
        volume: the labels as uint8: 0 background, 1 vessel, 2 aneurysm, and `labels.IGNORE` where
            names or rules say so.
        dropped: names of segments that are neither, and were taken as background.
    """

    volume: Volume
    dropped: tuple[str, ...] = ()


def read_labels(
    path: str | os.PathLike[str],
    relabel: Relabel = (),
    grid: Geometry | None = None,
    rules: LabelRules = NO_RULES,
) -> Volume:
    """Read a label map: 0 background, 1 vessel, 2 aneurysm.

    Values are taken as ``relabel`` says, else by the names of the segments where Slicer wrote the
    file, else as ``rules`` say, else as they are. Where segments overlap, the aneurysm counts, and
    what is to be ignored before all. Segments that are neither vessel nor aneurysm are dropped
    with a warning (`DroppedLabels`) where others are both.

    Args:
        path: as for ``read_volume``.
        relabel: pairs (value in the file, label); all values that may occur.
        grid: of the scan, if it is at hand: segments are saved cropped, and come out on it, or on
            the grid that they were drawn on, where the voxels are the same.
        rules: names and values of labels, for files that do not have ours.

    Returns:
        The labels as uint8.

    Raises:
        UserError: as for ``read_volume``, another value occurs, or a segment's name says neither
            vessel nor aneurysm where not both are there.

    Example:
        >>> int(read_labels("labels.nrrd").array.max())
        2
    """
    found = read_label_map(path, relabel, grid, rules)
    if note := dropped_note(found.dropped, os.fspath(path)):
        warnings.warn(note, DroppedLabels, stacklevel=2)
    return found.volume


def read_label_map(
    path: str | os.PathLike[str],
    relabel: Relabel = (),
    grid: Geometry | None = None,
    rules: LabelRules = NO_RULES,
) -> LabelMap:
    """Read a label map, and tell what was dropped; see `read_labels`."""
    path = Path(path)
    values = dict(relabel or rules.relabel)
    if not is_file(path, "label map"):
        volume = read_dicom(path, None)
        return LabelMap(Volume(_labels(path, volume.array[None], [values]), volume.geometry))
    layers, geometry, texts = read_layers(path)
    segments = read_segments(texts, path, rules)
    if relabel or not segments:
        check_one_value(path, len(layers))
        return LabelMap(Volume(_labels(path, layers, [values]), geometry))
    dropped = _dropped(path, segments, layers)
    meanings = [_meaning(segments, layer) for layer in range(len(layers))]
    labels = Volume(_labels(path, layers, meanings), geometry)
    for wanted in (grid, reference_grid(texts)):
        placed = None if wanted is None else put_on_grid(labels, wanted)
        if placed is not None:
            return LabelMap(placed, dropped)
    return LabelMap(labels, dropped)


def _dropped(path: Path, segments: Sequence[Segment], layers: npt.NDArray[Any]) -> tuple[str, ...]:
    """The names of segments that have voxels and are neither, where other segments are both."""
    names = []
    told = both_told([one.label for one in segments])
    for one in segments:
        if one.layer >= len(layers):
            raise UserError(
                f"The segment {one.name!r} in {path} is in layer {one.layer}, where the file has "
                f"{len(layers)}: save the segmentation again."
            )
        if one.label is None and (layers[one.layer] == one.value).any():
            if not told:
                raise says_neither(one.name, str(path))
            names.append(one.name)
    return tuple(names)


def _meaning(segments: Sequence[Segment], layer: int) -> dict[float, int]:
    """What the values of a layer mean."""
    own = [one for one in segments if one.layer == layer]
    return {BACKGROUND: BACKGROUND, **{one.value: one.label or BACKGROUND for one in own}}


def _labels(
    path: Path, layers: npt.NDArray[Any], meanings: Sequence[Mapping[float, int]]
) -> npt.NDArray[np.uint8]:
    """This project's labels, the highest of all layers."""
    labels = np.zeros(layers.shape[1:], np.uint8)
    for layer, meaning in zip(layers, meanings, strict=True):
        meaning = meaning or {label: label for label in range(CLASSES)}
        known = np.zeros(layer.shape, bool)
        for value, label in meaning.items():
            # Values that come through a scale are not whole to the last digit.
            where = layer == value if layer.dtype.kind in "iu" else abs(layer - value) <= NEARLY
            known |= where
            np.maximum(labels, np.uint8(label), out=labels, where=where)
        if not known.all():
            raise _unknown_value(path, layer, known, meaning)
    return labels


def _unknown_value(
    path: Path,
    layer: npt.NDArray[Any],
    is_known: npt.NDArray[np.bool_],
    meaning: Mapping[float, int],
) -> UserError:
    """The refusal of a label map that has other values than those that mean something."""
    values = layer[~is_known]
    value = values.flat[0]
    if layer.dtype.kind == "f" and ((layer >= 0) & (layer <= 1)).all() and len(values) > 1:
        return UserError(
            f"The label map {path} has values between 0 and 1, such as {value:g}: it looks like a "
            "map of probabilities; make it labels first, for example 1 from 0.5 on."
        )
    if len(np.unique(values[:: max(1, len(values) // SAMPLE)])) > MOST_VALUES:
        return UserError(
            f"The label map {path} has more than {MOST_VALUES} values, such as {value:g}: it looks "
            "like a scan; give the label map."
        )
    known = ", ".join(f"{each:g}" for each in meaning)
    return UserError(
        f"The label map {path} has the value {value:g}, where only {known} may occur: say what its "
        f"values mean (--label vessel={value:g}, or in a datalist 'relabel': [[value, label], "
        "...]), change it, or give the right file."
    )
