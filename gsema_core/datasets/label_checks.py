"""What is wrong with the labels of a list as a whole, which no single case can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import rankdata

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL

REACH_MM = (3.0, 6.0)
"""How far from a labeled voxel its surroundings are looked at: beyond the walls of most vessels and
within the same tissue. Ours."""

SAMPLE = 20_000
"""Labeled voxels that are compared with their surroundings; ours: a value to within 0.01."""

FEWEST = 100
"""With fewer to compare nothing is said; ours."""

BRIGHTER = 0.65
"""The least share of pairs in which a labeled voxel is the brighter one. Measured on 24 simulated
scans of four centers: 0.97 to 1.00 with their own label maps, 0.46 to 0.58 with another's."""

WHAT_TO_DO = (
    'Correct the labels, or say what they mean (gsema cases --label, or "labels" in the datalist). '
    "If they are right, start again with --yes, or with accept_labels = true in [data]."
)


@dataclass(frozen=True)
class LabelSigns:
    """What tells whether a case's labels are what they should be.

    Attributes:
        vessel, aneurysm: how many voxels they have.
        touching: whether any aneurysm touches a vessel; None where one of them is empty.
        brightness: how probably a labeled voxel is brighter than one near it that has no label,
            0.5 by chance; None where there is too little to compare.
    """

    vessel: int
    aneurysm: int
    touching: bool | None
    brightness: float | None

    def to_values(self) -> NDArray[np.float64]:
        """As numbers, NaN for None."""
        values = (self.vessel, self.aneurysm, self.touching, self.brightness)
        return np.array([np.nan if value is None else value for value in values], np.float64)

    @classmethod
    def of_values(cls, values: NDArray[np.float64]) -> LabelSigns:
        vessel, aneurysm, touching, brightness = values.tolist()
        return cls(
            int(vessel),
            int(aneurysm),
            None if np.isnan(touching) else bool(touching),
            None if np.isnan(brightness) else brightness,
        )


def label_signs(
    image: NDArray[Any], labels: NDArray[np.uint8], spacing_mm: Sequence[float]
) -> LabelSigns:
    """Look at a case; the same case gives the same signs.

    Args:
        image: (k, j, i).
        labels: (k, j, i), this project's.
        spacing_mm: along k, j and i.
    """
    vessel, aneurysm = (int(np.count_nonzero(labels == label)) for label in (VESSEL, ANEURYSM))
    touching = _touching(labels) if vessel and aneurysm else None
    return LabelSigns(vessel, aneurysm, touching, _brightness(image, labels, spacing_mm))


def suspicions(signs: Sequence[LabelSigns]) -> list[str]:
    """What a training should not begin with before somebody says that it is right.

    Args:
        signs: of all cases.

    Returns:
        A sentence each, without what to do (`WHAT_TO_DO`); none where nothing is suspicious.
    """
    both = [each for each in signs if each.touching is not None]
    larger = [each for each in both if each.aneurysm > each.vessel]
    apart = [each for each in both if not each.touching]
    compared = [each.brightness for each in signs if each.brightness is not None]
    dark = [value for value in compared if value < BRIGHTER]
    sentences = []
    if 2 * len(larger) > len(both):
        sentences.append(
            f"{_of(larger, both)} with both labels have more aneurysm (label 2) than vessel "
            "(label 1): they may be exchanged."
        )
    if signs and not any(each.vessel for each in signs):
        sentences.append(
            f"None of {_cases(len(signs))} has a voxel of vessel (label 1): a teacher would learn "
            "that there are no vessels."
        )
    elif 2 * len(apart) > len(both):
        sentences.append(
            f"In {_of(apart, both)} with both labels no aneurysm touches a vessel: label 1 and 2 "
            "may mean something else."
        )
    if 2 * len(dark) > len(compared):
        sentences.append(
            f"In {_of(dark, compared)} labeled voxels are not brighter than what is around them: "
            "the label maps may be of other scans, or vessels are dark in these."
        )
    return sentences


def check_accepted(found: Sequence[str], accepted: bool) -> None:
    """Refuse labels of which `suspicions` says something, unless somebody said that they are right.

    Raises:
        UserError: they are not accepted.
    """
    if found and not accepted:
        raise UserError(" ".join([*found, WHAT_TO_DO]))


def _of(some: Sequence[object], of: Sequence[object]) -> str:
    return f"{len(some)} of {_cases(len(of))}"


def _cases(count: int) -> str:
    return f"{count} case{'' if count == 1 else 's'}"


def _touching(labels: NDArray[np.uint8]) -> bool:
    """Whether any voxel of an aneurysm shares at least a corner with one of a vessel."""
    box = ndimage.find_objects(labels, ANEURYSM)[ANEURYSM - 1]
    around = labels[tuple(slice(max(0, side.start - 1), side.stop + 1) for side in box)]
    near = ndimage.binary_dilation(around == ANEURYSM, np.ones((3, 3, 3)))
    return bool((near & (around == VESSEL)).any())


def _brightness(
    image: NDArray[Any], labels: NDArray[np.uint8], spacing_mm: Sequence[float]
) -> float | None:
    """The probability (Mann and Whitney's U) that a labeled voxel is the brighter of two."""
    random = np.random.default_rng(0)
    labeled = np.flatnonzero((labels == VESSEL) | (labels == ANEURYSM))
    if len(labeled) > SAMPLE:
        labeled = labeled[random.integers(len(labeled), size=SAMPLE)]
    inside = np.stack(np.unravel_index(labeled, labels.shape), axis=1)
    way = random.normal(size=inside.shape)
    way *= random.uniform(*REACH_MM, (len(way), 1)) / np.linalg.norm(way, axis=1, keepdims=True)
    near = inside + np.rint(way / np.asarray(spacing_mm)).astype(int)
    near = near[((near >= 0) & (near < labels.shape)).all(axis=1)]
    near = near[labels[tuple(near.T)] == BACKGROUND]
    if min(len(near), len(inside)) < FEWEST:
        return None
    values = np.concatenate([image[tuple(inside.T)], image[tuple(near.T)]]).astype(np.float64)
    own = len(inside)
    rank = float(rankdata(values)[:own].sum())
    return (rank - own * (own + 1) / 2) / (own * len(near))
