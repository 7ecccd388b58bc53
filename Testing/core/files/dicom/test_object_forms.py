"""Objects of many frames: enhanced ones with functional groups, and the older kinds."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import forms
import numpy as np
import pytest
from forms import (
    ENHANCED_CT,
    ENHANCED_MR,
    OBLIQUE,
    SECONDARY_WORDS,
    XRAY_3D,
    Expected,
    Known,
    bits,
    gives,
    many_frames,
    one,
    refuses,
    save,
    slices,
)
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from gsema_core.files import read_volume

KNOWN = Known(kind=XRAY_3D).changed(
    Modality="XA", Manufacturer="Philips Medical Systems", ImageType=["DERIVED", "PRIMARY", "3D"]
)
FORMS: dict[str, forms.Build] = {}


def framed(folder: Path, known: Known, order: Any = (), syntax: str = "") -> Expected:
    known_syntax = {"syntax": syntax} if syntax else {}
    save(folder, [many_frames(known, order=order)], **known_syntax)
    return gives(known)


FORMS |= {
    "X-ray 3D": partial(framed, known=KNOWN),
    "X-ray 3D, its file": lambda folder: replace(framed(folder, KNOWN), give="IM000"),
    "enhanced CT": partial(framed, known=replace(KNOWN, kind=ENHANCED_CT)),
    "enhanced MR": partial(framed, known=replace(KNOWN, kind=ENHANCED_MR)),
    "oblique": partial(framed, known=replace(KNOWN, orientation=OBLIQUE)),
    "from behind": partial(framed, known=KNOWN, order=range(7, -1, -1)),
    "in no order": partial(framed, known=KNOWN, order=(3, 1, 7, 0, 5, 2, 6, 4)),
    "8 bits": lambda folder: framed(folder, bits(replace(KNOWN, stored=KNOWN.stored % 256), 8, 8)),
    "a frame of an odd number of bytes": lambda folder: framed(
        folder, bits(replace(KNOWN, stored=KNOWN.stored[:, :9, :11] % 256), 8, 8)
    ),
}
for title, syntax in {
    "implicit": ImplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "run lengths": RLELossless,
    "JPEG .70": JPEGLosslessSV1,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": forms.JPEG_2000,
}.items():
    FORMS[f"X-ray 3D, {title}"] = partial(
        framed, known=KNOWN.larger if "2000" in title else KNOWN, syntax=syntax
    )
FORMS["X-ray 3D in no order, run lengths"] = partial(
    framed, known=KNOWN, syntax=RLELossless, order=(3, 1, 7, 0, 5, 2, 6, 4)
)


def rescaled(folder: Path, where: str) -> Expected:
    """Slope and intercept where vendors put them."""
    ds = many_frames(KNOWN)
    values: Any = KNOWN.stored * 2 - 1024
    elements = {"RescaleSlope": 2, "RescaleIntercept": -1024, "RescaleType": "HU"}
    if where == "reconstruction":
        ds.XRay3DReconstructionSequence = one(**elements)
    elif where == "reconstruction, deeper":
        ds.XRay3DReconstructionSequence = one(PixelValueTransformationSequence=one(**elements))
    elif where == "object":
        ds.RescaleSlope, ds.RescaleIntercept = 2, -1024
    elif where == "shared":
        ds.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = one(**elements)
    else:
        for k, frame in enumerate(ds.PerFrameFunctionalGroupsSequence):
            frame.PixelValueTransformationSequence = one(
                RescaleSlope=f"{1 + k / 4}", RescaleIntercept=-k
            )
        k = np.arange(8)[:, None, None]
        values = KNOWN.stored * (1 + k / 4) - k
    save(folder, [ds])
    return gives(KNOWN, values)


for where in ("reconstruction", "reconstruction, deeper", "object", "shared", "frame"):
    FORMS[f"rescaled in the {where}"] = partial(rescaled, where=where)


def with_places(folder: Path, where: str) -> Expected:
    """All of the geometry with each frame, as some vendors have it, or some of it elsewhere."""
    ds = many_frames(KNOWN)
    shared = ds.SharedFunctionalGroupsSequence[0]
    if where == "each":
        for frame in ds.PerFrameFunctionalGroupsSequence:
            frame.update(shared)
        del ds.SharedFunctionalGroupsSequence
    elif where == "each, with others shared":
        for frame in ds.PerFrameFunctionalGroupsSequence:
            frame.update(deepcopy(shared))
        shared.PixelMeasuresSequence = one(PixelSpacing=[9, 9])
    else:
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 0], [0, 1, 0, 0, 0, 1]
        ds.PixelSpacing = [9, 9]
    save(folder, [ds])
    return gives(KNOWN)


for where in ("each", "each, with others shared", "object, wrongly, as well"):
    FORMS[f"places in {where}"] = partial(with_places, where=where)


def older(folder: Path, **elements: Any) -> Expected:
    known = replace(KNOWN, kind=SECONDARY_WORDS, orientation=OBLIQUE)
    save(folder, [many_frames(known.changed(**elements), groups=False)])
    return gives(known)


STEPS = [round(0.6 * k, 3) for k in range(8)]
FORMS |= {
    "frames at a spacing": partial(older, SpacingBetweenSlices=0.6),
    "frames at offsets": partial(older, GridFrameOffsetVector=STEPS),
    "frames at places": partial(older, GridFrameOffsetVector=[102.5 + step for step in STEPS]),
    "frames at offsets and another spacing": partial(
        older, GridFrameOffsetVector=STEPS, SpacingBetweenSlices=5
    ),
}


def falling(folder: Path, **elements: Any) -> Expected:
    """Frames against the normal."""
    upward = replace(KNOWN, kind=SECONDARY_WORDS)
    top = replace(upward, origin=tuple(upward.positions[-1]), stored=upward.stored[::-1])
    save(folder, [many_frames(top.changed(**elements), groups=False)])
    return gives(upward)


FORMS |= {
    "frames at a spacing below zero": partial(falling, SpacingBetweenSlices=-0.6),
    "frames at falling offsets": partial(falling, GridFrameOffsetVector=[-s for s in STEPS]),
}


def bare(folder: Path, words: str, **elements: Any) -> Expected:
    known = replace(KNOWN, kind=SECONDARY_WORDS)
    save(folder, [many_frames(known.changed(**elements), groups=False)])
    return refuses(words)


NOWHERE = "where its slices lie in the patient"
FORMS |= {
    "frames without distances": partial(bare, words=NOWHERE),
    "frames with a thickness only": partial(bare, words=NOWHERE, SliceThickness=0.6),
    "a gray movie": partial(
        bare, words=NOWHERE, ImagePositionPatient=None, ImageOrientationPatient=None,
        PixelSpacing=None, FrameTime=33,
    ),
    "offsets of too few frames": partial(bare, words=NOWHERE, GridFrameOffsetVector=STEPS[:5]),
    "frames without a pixel spacing": partial(
        bare, words="no pixel spacing", SpacingBetweenSlices=0.6, PixelSpacing=None
    ),
    "uneven offsets": partial(
        bare, words="uneven distances", GridFrameOffsetVector=[0, 1, 2, 3.4, 4, 5, 6, 7]
    ),
}  # fmt: skip


def lacking(folder: Path, what: str) -> Expected:
    """Enhanced objects whose functional groups say too little."""
    ds = many_frames(KNOWN)
    shared = ds.SharedFunctionalGroupsSequence[0]
    words = NOWHERE
    if what == "positions":
        del ds.PerFrameFunctionalGroupsSequence
    elif what == "orientation":
        del shared.PlaneOrientationSequence
    elif what == "a position":
        del ds.PerFrameFunctionalGroupsSequence[3].PlanePositionSequence
    elif what == "measures":
        del shared.PixelMeasuresSequence
        words = "no pixel spacing"
    elif what == "groups":
        del ds.PerFrameFunctionalGroupsSequence[6:]
        words = "places of 6 of 8 frames"
    else:
        del ds.PerFrameFunctionalGroupsSequence, ds.SharedFunctionalGroupsSequence
    save(folder, [ds])
    return refuses(words)


for what in ("positions", "orientation", "a position", "measures", "groups", "everything"):
    FORMS[f"without {what}"] = partial(lacking, what=what)


def run(folder: Path, kind: str) -> Expected:
    """The rotation that a volume is made from, here even with places."""
    save(folder, [many_frames(replace(KNOWN, kind=kind))])
    return refuses("projection images")


for kind in (forms.ENHANCED_XA, forms.ENHANCED_XRF, forms.XA):
    FORMS[f"a run {kind[-6:]}"] = partial(run, kind=kind)


def several(folder: Path, how: str, series: int | None = None) -> Expected:
    """Several objects under one identifier."""
    first, second = (replace(KNOWN, stored=KNOWN.stored[at]) for at in (range(4), range(4, 8)))
    second = replace(second, origin=tuple(KNOWN.positions[4]))
    if how == "apart":
        second = replace(second, origin=(0, 0, 0))
    elif how == "again":
        second = replace(second, origin=KNOWN.origin)
    elif how == "half a slice on":
        second = replace(second, origin=tuple(np.add(KNOWN.origin, 0.3 * KNOWN.normal)))
    objects = [many_frames(first), many_frames(second)]
    objects[1].SOPInstanceUID += ".9"
    save(folder, objects)
    if how == "one after the other":
        return gives(KNOWN)
    if series is None:
        return refuses("has 2 DICOM volumes")
    return gives(first if series == 5 else second, series=series)


FORMS["two parts of a volume"] = partial(several, how="one after the other")
for how in ("apart", "again", "half a slice on"):
    for series in (None, 5, 6):
        FORMS[f"two objects {how}, {series}"] = partial(several, how=how, series=series)


def in_time(folder: Path) -> Expected:
    """One place after the other, twice, in one object."""
    twice = replace(KNOWN, stored=np.concatenate([KNOWN.stored, KNOWN.stored + 5]))
    ds = many_frames(twice)
    for k, frame in enumerate(ds.PerFrameFunctionalGroupsSequence):
        frame.PlanePositionSequence[0].ImagePositionPatient = list(KNOWN.positions[k % 8])
    save(folder, [ds])
    return refuses("covers 8 of its positions twice")


def gap(folder: Path) -> Expected:
    save(folder, [many_frames(KNOWN, order=(0, 1, 2, 4, 5, 6, 7))])
    return refuses("lacks 1 slice:")


def enhanced_slices(folder: Path) -> Expected:
    """An enhanced object for each slice."""
    objects = []
    for k in KNOWN.slices:
        ds = many_frames(KNOWN, order=(k,))
        ds.SOPInstanceUID = f"1.2.3.4.{k}"
        objects.append(ds)
    save(folder, objects)
    return gives(KNOWN)


def both_kinds(folder: Path) -> Expected:
    """The same volume as single slices and as one object, under two identifiers."""
    save(folder / "a", slices(Known(series="1.2.3.6")))
    save(folder / "b", [many_frames(KNOWN)])
    return refuses("has 2 DICOM volumes")


FORMS |= {
    "places in time": in_time,
    "a frame is missing": gap,
    "an object a slice": enhanced_slices,
    "slices and an object": both_kinds,
}


@pytest.mark.parametrize("build", FORMS.values(), ids=FORMS.keys())
def test_form(tmp_path: Path, build: forms.Build) -> None:
    forms.check(read_volume, build, tmp_path / "form")
