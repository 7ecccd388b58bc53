"""Slices that do or do not lie one behind the other, and what else makes no volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import forms
import numpy as np
import pytest
from forms import AXIAL, OBLIQUE, Expected, Known, gives, refuses, save, slices

from gsema_core.files import read_volume

KNOWN = Known()
FORMS: dict[str, forms.Build] = {}


def without(folder: Path, missing: Sequence[int], words: str, known: Known = KNOWN) -> Expected:
    save(folder, [ds for k, ds in enumerate(slices(known)) if k not in missing])
    return refuses(words)


FORMS |= {
    "a slice is missing": partial(
        without, missing=[3], words="lacks 1 slice: they are 0.6 mm apart, but there are gaps at "
        "103.70 to 104.90 mm",
    ),
    "the second slice is missing": partial(without, missing=[1], words="at 102.50 to 103.70 mm"),
    "three slices are missing": partial(without, missing=[2, 5, 6], words="lacks 3 slices"),
    "a slice is missing, oblique": partial(
        without, missing=[4], words="lacks 1 slice:", known=replace(KNOWN, orientation=OBLIQUE)
    ),
    "one slice is left": partial(without, missing=range(1, 8), words="has one slice only"),
}  # fmt: skip


def bent(folder: Path, places: Sequence[float], words: str) -> Expected:
    """Slices at these distances, in slices, from the first."""
    positions = [np.array(KNOWN.origin) + KNOWN.normal * 0.6 * place for place in places]
    save(folder, slices(KNOWN, positions))
    return refuses(words)


FORMS |= {
    "uneven slices": partial(
        bent, places=[0, 1, 2, 3, 4.4, 5.3, 6.2, 7], words="usually 0.6 mm, but not at 104.30 to"
    ),
    "one slice off by a third": partial(
        bent, places=[0, 1, 2, 3.33, 4, 5, 6, 7], words="uneven distances"
    ),
    "growing distances": partial(
        bent, places=[0, 1, 2.1, 3.3, 4.6, 6, 7.5, 9.1], words="uneven distances"
    ),
    "one place twice": partial(
        bent, places=[0, 1, 2, 3, 3, 4, 5, 6], words="covers 1 of its positions twice (104.30 mm"
    ),
    "all places twice": partial(
        bent, places=[0, 1, 2, 3, 0, 1, 2, 3], words="covers 4 of its positions twice (102.50, "
    ),
    "one place for all": partial(bent, places=[0] * 8, words="all its slices at one place"),
}


def sheared(folder: Path, mm: float, orientation: Sequence[float]) -> Expected:
    known = replace(KNOWN, orientation=orientation)
    column = np.array(orientation[3:])
    save(folder, slices(known, [p + k * mm * column for k, p in enumerate(known.positions)]))
    return refuses("shifted sideways") if mm > 0.01 else gives(known)


for mm in (0.3, 0.05, 0.02, 0.002):
    for title, orientation in (("axial", AXIAL), ("oblique", OBLIQUE)):
        FORMS[f"sheared by {mm:g} mm a slice, {title}"] = partial(
            sheared, mm=mm, orientation=orientation
        )


def passes(
    folder: Path, by: str, values: tuple[object, object], *, half: float = 0.0,
    chosen: int | None = None, numbers: bool = False,
) -> Expected:  # fmt: skip
    """Two passes under one identifier, ``half`` a slice apart."""
    second = replace(KNOWN, stored=KNOWN.stored[::-1].copy())
    shifted = [place + half * 0.6 * KNOWN.normal for place in second.positions]
    both = slices(KNOWN), slices(second, shifted)
    for k, ds in enumerate(both[1]):
        ds.SOPInstanceUID += ".9"
        ds.InstanceNumber = k + (9 if numbers else 1)
    for objects, value in zip(both, values, strict=True):
        for ds in objects:
            setattr(ds, by, value)
    save(folder, both[0], name="a{}")
    save(folder, both[1], name="b{}")
    if values[0] == values[1]:
        return refuses("two passes, half a slice" if half else "positions twice")
    if chosen is None:
        return refuses("has 2 DICOM volumes")
    origin = tuple(np.array(KNOWN.origin) + half * 0.6 * KNOWN.normal)
    known = KNOWN if chosen == 5 else replace(second, origin=origin)
    return gives(known, series=chosen)


for half in (0.0, 0.5, 0.3):
    for title, by, values in (
        ("acquisition numbers", "AcquisitionNumber", (1, 2)),
        ("image types", "ImageType", (["ORIGINAL", "PRIMARY"], ["DERIVED", "SECONDARY"])),
    ):
        for chosen in (None, 5, 6):
            FORMS[f"two passes {half:g} slices apart by {title}, {chosen}"] = partial(
                passes, by=by, values=values, half=half, chosen=chosen
            )
for numbers in (False, True):
    for half in (0.0, 0.5):
        FORMS[f"two passes {half:g} slices apart that nothing tells apart, {numbers}"] = partial(
            passes, by="AcquisitionNumber", values=(1, 1), half=half, numbers=numbers
        )


def interleaved(folder: Path) -> Expected:
    """Thin slices that were counted in the order of their acquisition: odd ones, even ones."""
    objects = slices(KNOWN)
    for ds, number in zip(objects, (1, 5, 2, 6, 3, 7, 4, 8), strict=True):
        ds.InstanceNumber = number
    save(folder, objects)
    return gives(KNOWN)


FORMS["interleaved numbers"] = interleaved


def changed(folder: Path, words: str, known: Known = KNOWN, **changes: object) -> Expected:
    save(folder, slices(known.changed(**changes)))
    return refuses(words)


FORMS |= {
    "no pixel spacing": partial(changed, words="has no pixel spacing", PixelSpacing=None),
    "the detector's pixel spacing": partial(
        changed, words="has no pixel spacing", PixelSpacing=None, ImagerPixelSpacing=[0.1, 0.1]
    ),
    "an empty pixel spacing": partial(changed, words="has no pixel spacing", PixelSpacing=None,
                                      PixelAspectRatio=[1, 1]),
    "a pixel spacing of zero": partial(changed, words="has no pixel spacing", PixelSpacing=[0, 0]),
    "no position": partial(changed, words="where its slices lie", ImagePositionPatient=None),
    "no orientation": partial(changed, words="where its slices lie", ImageOrientationPatient=None),
    "axes at no right angle": partial(
        changed, words="at right angles", ImageOrientationPatient=[1, 0, 0, 0.5, 0.866, 0]
    ),
    "axes of length 2": partial(
        changed, words="no unit vectors", ImageOrientationPatient=[2, 0, 0, 0, 2, 0]
    ),
    "a spacing of micrometers": partial(
        changed, words="voxel spacing of 400 mm", PixelSpacing=[400, 400]
    ),
    "slices 20 mm apart": partial(
        changed, words="voxel spacing of 20 mm", known=replace(KNOWN, spacing=(0.4, 0.5, 20.0))
    ),
    "a maximum intensity projection": partial(
        changed, words="projection images", ImageType=["DERIVED", "SECONDARY", "MIP"]
    ),
    "a series of scouts": partial(
        changed, words="projection images", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]
    ),
    "a run with angles": partial(
        changed, words="projection images", known=replace(KNOWN, kind=forms.XA),
        PositionerPrimaryAngle=20,
    ),
}  # fmt: skip


def two_spacings(folder: Path) -> Expected:
    objects = slices(KNOWN)
    objects[5].PixelSpacing = [0.3, 0.3]
    save(folder, objects)
    return refuses("different pixel spacings, from 0.3 to 0.5 mm")


FORMS["slices of two pixel spacings"] = two_spacings


@pytest.mark.parametrize("build", FORMS.values(), ids=FORMS.keys())
def test_form(tmp_path: Path, build: forms.Build) -> None:
    forms.check(read_volume, build, tmp_path / "form")
