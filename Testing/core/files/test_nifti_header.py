"""NIfTI as other programs write it: every form is read right, or refused in a sentence."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from known_image import (
    AXES,
    ENDLESS,
    GRID,
    HOLED,
    KNOWN,
    ORIGIN,
    SPACING,
    STRAIGHT,
    VALUES,
    Form,
    check_form,
)

from gsema_core.grids import Geometry, Volume

RAS = np.diag((-1.0, -1.0, 1.0))
"""From LPS, in which this project's positions are, to NIfTI's."""
CODES = {
    "u1": 2,
    "i2": 4,
    "i4": 8,
    "f4": 16,
    "f8": 64,
    "i1": 256,
    "u2": 512,
    "u4": 768,
    "i8": 1024,
    "u8": 1280,
}
PLACES = {
    1: {
        "size": ("i", 0),
        "dim": ("8h", 40),
        "intent": ("h", 68),
        "type": ("h", 70),
        "bits": ("h", 72),
        "pixdim": ("8f", 76),
        "offset": ("f", 108),
        "slope": ("2f", 112),
        "units": ("B", 123),
        "codes": ("2h", 252),
        "quaternion": ("3f", 256),
        "qoffset": ("3f", 268),
        "rows": ("12f", 280),
        "magic": ("4s", 344),
    },
    2: {
        "size": ("i", 0),
        "magic": ("8s", 4),
        "type": ("h", 12),
        "bits": ("h", 14),
        "dim": ("8q", 16),
        "pixdim": ("8d", 104),
        "offset": ("q", 168),
        "slope": ("2d", 176),
        "codes": ("2i", 344),
        "quaternion": ("3d", 352),
        "qoffset": ("3d", 376),
        "rows": ("12d", 400),
        "units": ("i", 500),
        "intent": ("i", 504),
    },
}


def rows(axes: np.ndarray = AXES, spacing: tuple = SPACING, origin: tuple = ORIGIN) -> list[float]:
    return np.column_stack([RAS @ axes * spacing, RAS @ origin]).reshape(-1).tolist()


def quaternion(axes: np.ndarray = AXES) -> list[float]:
    """b, c, d of a rotation's quaternion whose a is positive."""
    turn = RAS @ axes
    a = np.sqrt(1 + np.trace(turn)) / 2
    return [
        (turn[2, 1] - turn[1, 2]) / 4 / a,
        (turn[0, 2] - turn[2, 0]) / 4 / a,
        (turn[1, 0] - turn[0, 1]) / 4 / a,
    ]


SFORM = {"codes": (0, 1), "rows": rows()}
QFORM = {"codes": (1, 0), "quaternion": quaternion(), "qoffset": (RAS @ ORIGIN).tolist()}
BOTH = {**SFORM, **QFORM, "codes": (1, 1)}


def header(version: int = 1, order: str = "<", kind: str = "i2", **changed: Any) -> bytes:
    fields: dict[str, Any] = {
        "size": {1: 348, 2: 540}[version],
        "dim": (3, 7, 6, 5, 1, 1, 1, 1),
        "type": CODES[kind],
        "bits": 8 * np.dtype(kind).itemsize,
        "pixdim": (1.0, *SPACING, 1, 1, 1, 1),
        "offset": {1: 352, 2: 544}[version],
        "units": 2,
        "magic": {1: b"n+1\0", 2: b"n+2\0\r\n\x1a\n"}[version],
        **(changed if "codes" in changed else {**BOTH, **changed}),
    }
    content = bytearray({1: 352, 2: 544}[version])
    for name, value in fields.items():
        layout, at = PLACES[version][name]
        values = value if isinstance(value, (tuple, list)) else (value,)
        struct.pack_into(order + layout, content, at, *values)
    return bytes(content)


def nifti(
    version: int = 1, order: str = "<", kind: str = "i2", array: Any = VALUES, **changed: Any
) -> bytes:
    data = np.asarray(array).astype(np.dtype(kind).newbyteorder(order)).tobytes()
    return header(version, order, kind, **changed) + data


def one(
    *arguments: Any, expected: Volume | str = KNOWN, name: str = "scan.nii", **how: Any
) -> Form:
    return Form({name: nifti(*arguments, **how)}, expected)


def typed(kind: str, version: int, order: str) -> Form:
    array = VALUES.astype(kind)
    array = array.astype(np.float32) if kind[0] == "f" else array
    return one(version, order, kind, array=array, expected=Volume(array, GRID))


def scaled(slope: float, inter: float, expected: Any = None, kind: str = "i2") -> Form:
    values = VALUES * np.float64(slope) + inter if expected is None else expected
    return one(kind=kind, slope=(slope, inter), expected=Volume(values.astype(np.float32), GRID))


def pair(second: str = "scan.img", **changed: Any) -> dict[str, bytes]:
    version = changed.get("version", 1)
    magic = {1: b"ni1\0", 2: b"ni2\0\r\n\x1a\n"}[version]
    head = header(**{"magic": magic, "offset": 0, **changed})
    return {"scan.hdr": head[: {1: 348, 2: 540}[version]], second: VALUES.tobytes()}


PACKED = gzip.compress(nifti())
MIRRORED = AXES * (1, 1, -1)
TURNED = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
ELSEWHERE = Volume(VALUES, Geometry(GRID.size, SPACING, ORIGIN, tuple(TURNED.reshape(-1))))
PLACED = {
    "sform": one(**SFORM),
    "qform": one(**QFORM),
    "both": one(**BOTH),
    "version 2": one(2),
    "version 2, qform": one(2, **QFORM),
    "big endian": one(order=">"),
    "version 2, big endian": one(2, ">"),
    "left-handed sform": one(
        codes=(0, 1),
        rows=rows(MIRRORED),
        expected=Volume(VALUES, Geometry(GRID.size, SPACING, ORIGIN, tuple(MIRRORED.reshape(-1)))),
    ),
    "left-handed qform": one(
        **QFORM,
        pixdim=(-1.0, *SPACING, 1, 1, 1, 1),
        expected=Volume(VALUES, Geometry(GRID.size, SPACING, ORIGIN, tuple(MIRRORED.reshape(-1)))),
    ),
    "qfac of zero": one(**QFORM, pixdim=(0.0, *SPACING, 1, 1, 1, 1)),
    "qform of half a turn": one(
        codes=(1, 0), quaternion=(0, 0, 1), qoffset=(0, 0, 0), expected=STRAIGHT
    ),
    "qform a little too long": one(
        codes=(1, 0), quaternion=(0, 0, 1.0004), qoffset=(0, 0, 0), expected=STRAIGHT
    ),
    "qform that is no rotation": one(codes=(1, 0), quaternion=(2, 2, 2), expected="damaged"),
    "the two disagree": one(**{**BOTH, "rows": rows(TURNED)}, expected=ELSEWHERE),
    "the two disagree, sform of another scan": one(
        **{**BOTH, "rows": rows(TURNED), "codes": (1, 2)}
    ),
    "the two disagree, sform of an atlas": one(
        **{**BOTH, "rows": rows(TURNED, (0.33, 0.44, 0.55)), "codes": (1, 4)}
    ),
    "sform of an atlas only": one(codes=(0, 4), rows=rows()),
    "sform of other lengths": one(
        **{**BOTH, "rows": rows(AXES, (0.33, 0.44, 0.55))}, expected="0.33 x 0.44 x 0.55"
    ),
    "sheared sform, sound qform": one(
        **{**BOTH, "rows": rows(AXES @ [[1, 0.2, 0], [0, 1, 0], [0, 0, 1]])},
        expected="two voxel spacings",
    ),
    "sheared sform": one(
        codes=(0, 1),
        rows=rows(AXES @ [[1, 0.2, 0], [0, np.sqrt(1 - 0.04), 0], [0, 0, 1]]),
        expected="not perpendicular",
    ),
    "empty sform": one(codes=(0, 1), rows=[0.0] * 12, expected="spacing"),
    "neither": one(codes=(0, 0), expected=STRAIGHT),
    "not a number": one(codes=(0, 1), rows=[float("nan")] * 12, expected="nan x nan x nan"),
}
UNITS = {
    "mm": one(units=2),
    "none said": one(units=0),
    "mm and seconds": one(units=2 + 8),
    "m": one(
        units=1,
        pixdim=(1, *(s / 1000 for s in SPACING), 1, 1, 1, 1),
        codes=(1, 1),
        rows=[x / 1000 for x in rows()],
        quaternion=quaternion(),
        qoffset=(RAS @ ORIGIN / 1000).tolist(),
    ),
    "m, qform": one(
        units=1,
        pixdim=(1, *(s / 1000 for s in SPACING), 1, 1, 1, 1),
        codes=(1, 0),
        quaternion=quaternion(),
        qoffset=(RAS @ ORIGIN / 1000).tolist(),
    ),
    "microns": one(
        units=3 + 16,
        pixdim=(1, *(s * 1000 for s in SPACING), 1, 1, 1, 1),
        codes=(1, 1),
        rows=[x * 1000 for x in rows()],
        quaternion=quaternion(),
        qoffset=(RAS @ ORIGIN * 1000).tolist(),
    ),
    "microns, version 2": one(
        2,
        units=3,
        pixdim=(1, *(s * 1000 for s in SPACING), 1, 1, 1, 1),
        codes=(0, 1),
        rows=[x * 1000 for x in rows()],
    ),
    "m said of mm": one(units=1, expected="300 mm"),
    "microns said of mm": one(units=3, expected="0.0003 mm"),
    "unknown": one(units=5, expected="unit"),
}
VALUED = {
    "slope 1": one(slope=(1.0, 0.0)),
    "slope 0": one(slope=(0.0, 50.0)),
    "slope NaN": one(slope=(float("nan"), 0.0)),
    "slope 2": scaled(2.0, 0.0),
    "slope and intercept": scaled(0.5, -1024.0),
    "intercept only": scaled(1.0, -1024.0),
    "negative slope": scaled(-1.0, 0.0),
    "beyond the type": scaled(100.0, 0.0),
    "floats": scaled(0.25, 3.0, kind="f4"),
    "doubles": scaled(0.25, 3.0, kind="f8"),
    "intercept without end": one(slope=(1.0, float("inf")), expected="damaged"),
    "slope without end": one(slope=(float("inf"), 0.0), expected="damaged"),
    "not finite": one(kind="f4", array=HOLED, expected="not finite"),
    "endless": one(kind="f8", array=ENDLESS, expected="not finite"),
}
FRAMES = {
    "one frame": one(dim=(4, 7, 6, 5, 1, 1, 1, 1)),
    "one vector": one(dim=(5, 7, 6, 5, 1, 1, 1, 1), intent=1007),
    "all seven": one(dim=(7, 7, 6, 5, 1, 1, 1, 1)),
    "zeros behind": one(dim=(3, 7, 6, 5, 0, 0, 0, 0)),
    "two frames": one(
        array=[VALUES, VALUES],
        dim=(4, 7, 6, 5, 2, 1, 1, 1),
        expected="is 4D (7 x 6 x 5 x 2 voxels)",
    ),
    "two values": one(
        array=[VALUES, VALUES], dim=(5, 7, 6, 5, 1, 2, 1, 1), expected="2 values a voxel"
    ),
    "three values": one(
        array=[VALUES] * 3, dim=(5, 7, 6, 5, 1, 3, 1, 1), intent=1007, expected="3 values a voxel"
    ),
    "one frame first": one(dim=(4, 1, 7, 6, 5, 1, 1, 1), expected="4D (1 x 7 x 6 x 5 voxels)"),
    "one slice": one(dim=(3, 7, 30, 1, 1, 1, 1, 1), expected="2D"),
    "two axes": one(dim=(2, 7, 30, 1, 1, 1, 1, 1), expected="2D"),
    "no axes": one(dim=(0, 7, 6, 5, 1, 1, 1, 1), expected="damaged"),
    "eight axes": one(dim=(8, 7, 6, 5, 1, 1, 1, 1), expected="damaged"),
    "no size": one(dim=(3, 7, 0, 5, 1, 1, 1, 1), expected="size zero"),
    "negative": one(dim=(3, 7, -6, 5, 1, 1, 1, 1), expected="size zero"),
}
COLORS = {
    f"{name}": Form({"scan.nii": header(type=code) + bytes(210 * size)}, words)
    for name, code, size, words in (
        ("RGB", 128, 3, "3 values a voxel (color)"),
        ("RGBA", 2304, 4, "4 values a voxel (color)"),
        ("complex", 32, 8, "complex"),
        ("double complex", 1792, 16, "complex"),
        ("long double", 1536, 16, "unknown type 1536"),
        ("bits", 1, 1, "unknown type 1,"),
    )
}
TYPED = {
    f"{kind}, version {version}, {order}": typed(kind, version, order)
    for kind in CODES
    for version in (1, 2)
    for order in "<>"
}
CODED = {
    "gzip": Form({"scan.nii.gz": PACKED}),
    "gzip named .nii": Form({"scan.nii": PACKED}),
    "plain named .nii.gz": Form({"scan.nii.gz": nifti()}),
    "two streams": Form(
        {"scan.nii.gz": gzip.compress(nifti()[:400]) + gzip.compress(nifti()[400:])}
    ),
    "an extension": Form(
        {
            "scan.nii": nifti(offset=384)[:348]
            + struct.pack("<4Bii", 1, 0, 0, 0, 32, 6)
            + bytes(24)
            + VALUES.tobytes()
        }
    ),
    "an offset of 0": one(offset=0, expected=KNOWN),
    "an offset beyond": one(offset=9999, expected="cut off"),
    "cut off": Form({"scan.nii": nifti()[:-1]}, "cut off"),
    "gzip cut off": Form({"scan.nii.gz": PACKED[:-9]}, "cut off"),
    "gzip with another checksum": Form({"scan.nii.gz": PACKED[:-8] + bytes(8)}, "damaged"),
    "more than it says": Form({"scan.nii": nifti() + b"trailer"}),
    "a pair": Form(pair()),
    "a pair, version 2": Form(pair(version=2)),
    "a pair, big endian": Form({**pair(order=">"), "scan.img": VALUES.astype(">i2").tobytes()}),
    "a pair with an offset": Form({**pair(offset=16), "scan.img": bytes(16) + VALUES.tobytes()}),
    "a pair, packed": Form(
        {"scan.hdr": pair()["scan.hdr"], "scan.img.gz": gzip.compress(VALUES.tobytes())}
    ),
    "a pair, capitals": Form({"SCAN.HDR": pair()["scan.hdr"], "SCAN.IMG": VALUES.tobytes()}),
    "a pair without its voxels": Form({"scan.hdr": pair()["scan.hdr"]}, "scan.img"),
    "the voxels of a pair": Form(
        {"scan.img": VALUES.tobytes(), "scan.hdr": pair()["scan.hdr"]}, "scan.hdr"
    ),
    "Analyze": Form(pair(magic=b"\0\0\0\0"), "Analyze"),
    "a .hdr of something else": Form({"scan.hdr": b"ENVI\nsamples = 7\n"}, "damaged"),
}
FORMS = {
    f"{group}: {name}": form
    for group, forms in {
        "place": PLACED,
        "unit": UNITS,
        "value": VALUED,
        "frames": FRAMES,
        "color": COLORS,
        "type": TYPED,
        "coding": CODED,
    }.items()
    for name, form in forms.items()
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_nifti(name: str, tmp_path: Path) -> None:
    check_form(FORMS[name], tmp_path)
