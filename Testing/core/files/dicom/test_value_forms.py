"""How voxels are stored: bits, signs, rescaling, numbers with a point, and every coding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import forms
import numpy as np
import pytest
from forms import Expected, Known, bits, gives, one, refuses, save, slices
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from gsema_core.files import read_volume

KNOWN = Known()
WIDE = Known(np.random.default_rng(4).integers(0, 2**16, (8, 10, 12)))
SIGNED = Known(np.random.default_rng(5).integers(-2000, 2000, (8, 10, 12)))
BYTES = Known(np.random.default_rng(6).integers(0, 256, (8, 10, 12)))
DARK = Known(BYTES.stored // 8)
FORMS: dict[str, forms.Build] = {}


def stored(
    folder: Path, known: Known, values: Any, syntax: str = ExplicitVRLittleEndian
) -> Expected:
    save(folder, slices(known), syntax=syntax)
    return gives(known, values)


for title, known, values in (
    ("12 bits", bits(KNOWN, 16, 12), KNOWN.stored),
    ("12 bits, the highest ones", bits(KNOWN, 16, 12, 15), KNOWN.stored),
    ("12 bits in the middle", bits(KNOWN, 16, 12, 13), KNOWN.stored),
    ("13 bits, signed", bits(SIGNED, 16, 13, signed=True), SIGNED.stored),
    ("13 bits, signed, the highest ones", bits(SIGNED, 16, 13, 15, True), SIGNED.stored),
    ("16 bits, signed", bits(SIGNED, 16, 16, signed=True), SIGNED.stored),
    ("16 bits", bits(WIDE, 16, 16), WIDE.stored),
    ("10 bits", bits(replace(KNOWN, stored=KNOWN.stored // 4), 16, 10), KNOWN.stored // 4),
    ("8 bits", bits(BYTES, 8, 8), BYTES.stored),
    ("8 of 16 bits", bits(BYTES, 16, 8), BYTES.stored),
    ("8 bits, signed", bits(replace(BYTES, stored=BYTES.stored - 128), 8, 8, signed=True),
     BYTES.stored - 128),
    ("32 bits", bits(WIDE, 32, 32), WIDE.stored),
    ("32 bits, signed", bits(SIGNED, 32, 32, signed=True), SIGNED.stored),
    ("12 bits clamped", bits(replace(KNOWN, stored=np.minimum(KNOWN.stored + 500, 4095)), 16, 12),
     np.minimum(KNOWN.stored + 500, 4095)),
):  # fmt: skip
    FORMS[title] = partial(stored, known=known, values=values)

for title, known, elements, convert in (
    ("Hounsfield units", KNOWN, {"RescaleSlope": 1, "RescaleIntercept": -1024},
     lambda x: x - 1024),
    ("all 16 bits less 1024", bits(WIDE, 16, 16), {"RescaleSlope": 1, "RescaleIntercept": -1024},
     lambda x: WIDE.stored - 1024),
    ("a slope beyond 16 bits", KNOWN, {"RescaleSlope": 20, "RescaleIntercept": -40000},
     lambda x: 20 * x - 40000),
    ("a slope of a fraction", KNOWN, {"RescaleSlope": 0.3125, "RescaleIntercept": -0.5},
     lambda x: 0.3125 * x - 0.5),
    ("a slope below zero", KNOWN, {"RescaleSlope": -1, "RescaleIntercept": 100},
     lambda x: 100 - x),
    ("a slope alone", KNOWN, {"RescaleSlope": 2}, lambda x: 2 * x),
    ("an intercept alone", KNOWN, {"RescaleIntercept": -5}, lambda x: x - 5),
    ("a slope, signed", bits(SIGNED, 16, 16, signed=True),
     {"RescaleSlope": 3, "RescaleIntercept": 1}, lambda x: 3 * SIGNED.stored + 1),
    ("low values shown bright", bits(KNOWN, 16, 12), {"PhotometricInterpretation": "MONOCHROME1"},
     lambda x: 4095 - KNOWN.stored),
    ("low values shown bright, signed", bits(SIGNED, 16, 16, signed=True),
     {"PhotometricInterpretation": "MONOCHROME1"}, lambda x: -1 - SIGNED.stored),
    ("low Hounsfield units shown bright", KNOWN,
     {"PhotometricInterpretation": "MONOCHROME1", "RescaleSlope": 1, "RescaleIntercept": -1000},
     lambda x: x - 1000),
    ("identical Hounsfield units shown bright", KNOWN,
     {"PhotometricInterpretation": "MONOCHROME1", "RescaleSlope": 1, "RescaleIntercept": 0,
      "RescaleType": "HU"}, lambda x: x),
    ("padding that is one value", KNOWN, {"PixelPaddingValue": 63}, lambda x: x),
    ("padding that is a range", KNOWN,
     {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 1000}, lambda x: np.where(x <= 1000, 0, x)),
    ("padding that is a range from above", KNOWN,
     {"PixelPaddingValue": 4095, "PixelPaddingRangeLimit": 3000, "RescaleSlope": 2},
     lambda x: 2 * np.where(x >= 3000, 4095, x)),
    ("padding below zero", bits(SIGNED, 16, 16, signed=True),
     {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1000},
     lambda x: np.where(SIGNED.stored <= -1000, -2000, SIGNED.stored)),
):  # fmt: skip
    FORMS[title] = partial(
        stored, known=known.changed(**elements), values=convert(known.stored.astype(np.int64))
    )


def differing(folder: Path, change: Callable[[forms.Dataset, int], None], values: Any) -> Expected:
    """Slices that are stored in several ways."""
    objects = slices(KNOWN)
    for k, ds in enumerate(objects):
        change(ds, k)
    save(folder, objects)
    return gives(KNOWN, values)


def slope_each(ds: forms.Dataset, k: int) -> None:
    ds.RescaleSlope, ds.RescaleIntercept = 0.5 + 0.25 * k, -10 * k


def whole_slope_each(ds: forms.Dataset, k: int) -> None:
    ds.RescaleSlope, ds.RescaleIntercept = 1 + k, -1000 - k


def sign_each(ds: forms.Dataset, k: int) -> None:
    if k % 2:
        ds.PixelRepresentation = 1
        ds.PixelData = (KNOWN.stored[k] - 2000).astype("<i2").tobytes()


def bits_each(ds: forms.Dataset, k: int) -> None:
    if k % 2:
        ds.BitsStored, ds.HighBit = 12, 15
        ds.PixelData = (KNOWN.stored[k] << 4).astype("<u2").tobytes()


def bright_each(ds: forms.Dataset, k: int) -> None:
    if k % 2:
        ds.PhotometricInterpretation = "MONOCHROME1"
        ds.PixelData = (65535 - KNOWN.stored[k]).astype("<u2").tobytes()


K = np.arange(8)[:, None, None]
FORMS |= {
    "a slope for each slice": partial(
        differing, change=slope_each, values=KNOWN.stored * (0.5 + 0.25 * K) - 10 * K
    ),
    "a whole slope for each slice": partial(
        differing, change=whole_slope_each, values=KNOWN.stored * (1 + K) - 1000 - K
    ),
    "a sign for every other slice": partial(
        differing, change=sign_each, values=KNOWN.stored - 2000 * (K % 2)
    ),
    "other bits in every other slice": partial(differing, change=bits_each, values=KNOWN.stored),
    "every other slice shown bright": partial(differing, change=bright_each, values=KNOWN.stored),
}


def pointed(folder: Path, keyword: str, kind: str) -> Expected:
    """Numbers with a point instead of words."""
    values = np.random.default_rng(7).normal(100, 300, KNOWN.stored.shape).astype(np.float32)
    objects = slices(KNOWN.changed(PixelData=None, BitsStored=None, HighBit=None))
    for ds, plane in zip(objects, values, strict=True):
        ds.BitsAllocated = 32 if kind == "<f4" else 64
        setattr(ds, keyword, plane.astype(kind).tobytes())
    save(folder, objects)
    return gives(KNOWN, values)


def looked_up(folder: Path) -> Expected:
    table = (np.arange(4096) ** 2 // 256).astype(np.uint16)
    objects = slices(KNOWN)
    for ds in objects:
        ds.ModalityLUTSequence = one(
            LUTDescriptor=[4096, 0, 16], ModalityLUTType="US", LUTData=table.tobytes()
        )
        ds.ModalityLUTSequence[0]["LUTData"].VR = "OW"
    save(folder, objects)
    return gives(KNOWN, table[KNOWN.stored])


FORMS |= {
    "float voxels": partial(pointed, keyword="FloatPixelData", kind="<f4"),
    "double voxels": partial(pointed, keyword="DoubleFloatPixelData", kind="<f8"),
    "values looked up": looked_up,
}


def coded(folder: Path, known: Known, values: Any, syntax: str) -> Expected:
    if syntax == forms.JPEG_2000:
        known, values = known.larger, np.tile(values, (1, 4, 4))
    return stored(folder, known, values, syntax)


NAMES = {
    ImplicitVRLittleEndian: "implicit",
    ExplicitVRBigEndian: "big endian",
    DeflatedExplicitVRLittleEndian: "deflated",
    RLELossless: "run lengths",
    JPEGLossless: "JPEG .57",
    JPEGLosslessSV1: "JPEG .70",
    JPEGLSLossless: "JPEG-LS",
    forms.JPEG_2000: "JPEG 2000",
}
for syntax, name in NAMES.items():
    for title, known, values in (
        ("16 bits", bits(WIDE, 16, 16), WIDE.stored),
        ("signed", bits(SIGNED, 16, 16, signed=True), SIGNED.stored),
        ("8 bits", bits(DARK, 8, 8), DARK.stored),
        ("Hounsfield units", KNOWN.changed(RescaleSlope=1, RescaleIntercept=-1024),
         KNOWN.stored - 1024),
    ):  # fmt: skip
        FORMS[f"{name}, {title}"] = partial(coded, known=known, values=values, syntax=syntax)
    clean = KNOWN.changed(BitsStored=12, HighBit=11)
    FORMS[f"{name}, 12 bits"] = partial(coded, known=clean, values=KNOWN.stored, syntax=syntax)


def unknown(folder: Path) -> Expected:
    save(folder, slices(KNOWN))
    for file in folder.iterdir():
        content = file.read_bytes()
        file.write_bytes(content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0"))
    return refuses("could not be read")


def packed(folder: Path) -> Expected:
    save(folder, slices(KNOWN.changed(BitsAllocated=12, BitsStored=12, HighBit=11)))
    return refuses("could not be read")


def swapped(folder: Path) -> Expected:
    """Bytes in words of the other order, as the standard has them in big endian files."""
    known = bits(BYTES, 8, 8)
    pairs = np.frombuffer(known.stored.tobytes(), "<u2").byteswap().view(np.uint8)
    turned = replace(known, stored=pairs.reshape(known.stored.shape))
    save(folder, slices(turned), syntax=ExplicitVRBigEndian)
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes().replace(b"\x7f\xe0\0\x10OB", b"\x7f\xe0\0\x10OW"))
    return gives(known)


def padded_implicit(folder: Path) -> Expected:
    known = bits(SIGNED, 16, 16, signed=True)
    known = known.changed(PixelPaddingValue=-2000, PixelPaddingRangeLimit=-1000)
    values = np.where(SIGNED.stored <= -1000, -2000, SIGNED.stored)
    return stored(folder, known, values, ImplicitVRLittleEndian)


FORMS |= {"padding without a type": padded_implicit}
FORMS |= {"bytes in big endian words": swapped, "a video": unknown, "12 bits, packed": packed}


@pytest.mark.parametrize("build", FORMS.values(), ids=FORMS.keys())
def test_form(tmp_path: Path, build: forms.Build) -> None:
    forms.check(read_volume, build, tmp_path / "form")
