"""NRRD as other programs write it: every form is read right, or refused in a sentence."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest
from known_image import AXES, GRID, KNOWN, ORIGIN, SPACING, STRAIGHT, VALUES, Form, check_form

from gsema_core.grids import Geometry, Volume

RAW = VALUES.tobytes()
FLIP = {"LPS": (1, 1, 1), "RAS": (-1, -1, 1), "LAS": (1, -1, 1)}


def vectors(matrix: np.ndarray) -> str:
    """NRRD's vectors from the columns of a matrix."""
    return " ".join("(" + ",".join(repr(float(x)) for x in column) + ")" for column in matrix.T)


def place(space: str = "LPS", unit_mm: float = 1.0, axes: np.ndarray = AXES) -> dict[str, str]:
    """Fields that say where the known image lies, in a space and a unit."""
    flip = np.diag(FLIP[space])
    return {
        "space directions": vectors(flip @ axes * SPACING / unit_mm),
        "space origin": vectors((flip @ ORIGIN / unit_mm)[:, None]),
    }


BASE = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "7 6 5",
    "kinds": "domain domain domain",
    "endian": "little",
    "encoding": "raw",
    **place(),
}
PLAIN = {"type": "short", "dimension": "3", "sizes": "7 6 5", "endian": "little", "encoding": "raw"}


def nrrd(
    changed: dict[str, str | None] | None = None,
    data: bytes = RAW,
    *,
    lines: tuple[str, ...] = (),
    base: dict[str, str] = BASE,
    coding: str = "utf-8",
    end: str = "\n",
    magic: str = "NRRD0005",
) -> bytes:
    """A file; fields that are changed to None are left out."""
    fields = {**base, **(changed or {})}
    head = [
        magic,
        *lines,
        *(f"{name}: {text}" for name, text in fields.items() if text is not None),
    ]
    return end.join([*head, "", ""]).encode(coding, "surrogateescape") + data


def one(*arguments: object, expected: Volume | str = KNOWN, **how: object) -> Form:
    return Form({"scan.nrrd": nrrd(*arguments, **how)}, expected)  # type: ignore[arg-type]


def typed(name: str, kind: str, order: str = "little") -> Form:
    data = VALUES.astype(np.dtype(kind).newbyteorder(order)).tobytes()
    array = VALUES.astype(kind)
    array = array.astype(np.float32) if array.dtype.kind == "f" else array
    return one({"type": name, "endian": order}, data, expected=Volume(array, GRID))


def beside(name: str, data: bytes = RAW, **changed: str) -> Form:
    head = nrrd({"data file": name, **changed}, b"")
    return Form({"scan.nhdr": head, name: data})


LETTERS = " ".join(map(str, VALUES.reshape(-1)))
TEXTS = {
    "a key with colons": one(lines=("a:b::c:=value", "http://x.y/z: w:=1", "type:=no type")),
    "a value like a field": one(lines=("DICOM_0008_103e:=sizes: 1 2 3", "content: a:=b")),
    "comments": one(lines=("# sizes: 1 1 1", "#encoding:=gzip", "#")),
    "a field without a space": one(lines=("content:x", "sample units:")),
    "no kinds": one({"kinds": None}),
    "control characters": one(
        lines=tuple(f"k{n}:=a{chr(n)}sizes: 1" for n in range(11, 31) if n != 13)
    ),
    "the byte 0x85": one(lines=("name:=Å 慅 … \x85 \u2028 動脈瘤", "content: Å…")),
    "Latin-1": one(lines=("name:=Anévrisme \x85",), coding="latin-1"),
    "other bytes": one(lines=("name:=\udcff\udc85",)),
    "lines of Windows": one(end="\r\n"),
    "magic 1": one(magic="NRRD0001"),
    "capitals": one(
        {"encoding": "RAW", "endian": "Little", "type": "Short", "space": "Left-Posterior-Superior"}
    ),
    "a long key": one(lines=("Segment0_Tags:=" + "T" * 200_000,)),
    "fields twice": one(lines=("sizes: 7 6 5",), expected="damaged"),
    "no field": one(lines=("nothing at all",), expected="damaged"),
}
SPACES = {
    **{
        text: one({"space": text, **place(kind)})
        for text, kind in {
            "left-posterior-superior": "LPS",
            "LPS": "LPS",
            "lps": "LPS",
            "right-anterior-superior": "RAS",
            "RAS": "RAS",
            "left-anterior-superior": "LAS",
            "LAS": "LAS",
            "scanner-xyz": "LPS",
            "3D-right-handed": "LPS",
        }.items()
    },
    "of another handedness": one({"space": "3D-left-handed"}, expected="3D-left-handed"),
    "of a number only": one({"space": None, "space dimension": "3"}),
    "none": one({"space": None}, expected="no space"),
    "unknown": one({"space": "upside-down"}, expected="upside-down"),
    "in mm": one({"space units": '"mm" "mm" "mm"'}),
    "in m": one({"space units": '"m" "m" "m"', **place("LPS", 1000.0)}),
    "in cm": one({"space units": '"cm" "cm" "cm"', **place("LPS", 10.0)}),
    "in um": one({"space units": '"um" "um" "um"', **place("LPS", 0.001)}),
    "in µm": one({"space units": '"µm" "µm" "µm"', **place("LPS", 0.001)}),
    "in microns": one({"space units": '"microns" "microns" "microns"', **place("LPS", 0.001)}),
    "in unknown units": one({"space units": '"" "???" "mm"'}),
    "in inches": one({"space units": '"inch" "inch" "inch"'}, expected="inch"),
    "in two units": one({"space units": '"mm" "mm" "cm"'}, expected="mm, mm, cm"),
    "no origin": one(
        {"space origin": None},
        expected=Volume(VALUES, Geometry(GRID.size, SPACING, (0, 0, 0), GRID.direction)),
    ),
    "axes of the other hand": one(
        {"space directions": vectors(AXES[:, [0, 1, 2]] * (1, 1, -1) * SPACING)},
        expected=Volume(
            VALUES, Geometry(GRID.size, SPACING, ORIGIN, tuple((AXES * (1, 1, -1)).reshape(-1)))
        ),
    ),
    "a sheared one": one(
        {"space directions": "(1,0,0) (0.5,1,0) (0,0,1)"}, expected="not perpendicular"
    ),
    "a flat one": one({"space directions": "(1,0,0) (0,0,0) (0,0,1)"}, expected="spacing"),
    "decimal commas": one({"space directions": "(0,3,0,0) (0,0,4,0) (0,0,1)"}, expected="damaged"),
    "decimal commas in the origin": one({"space origin": "(1,5,0,0)"}, expected="damaged"),
    "vectors of two numbers": one({"space directions": "(1,0) (0,1) (0,0)"}, expected="damaged"),
    "vectors that are no numbers": one(
        {"space directions": "(nan,0,0) (0,1,0) (0,0,1)"}, expected="spacing"
    ),
    "infinite": one({"space origin": "(inf,0,0)"}, expected="damaged"),
}
SPACINGS = {
    "spacings": one({"spacings": "0.3 0.4 0.5"}, base=PLAIN, expected=STRAIGHT),
    "spacings in um": one(
        {"spacings": "300 400 500", "units": '"um" "um" "um"'}, base=PLAIN, expected=STRAIGHT
    ),
    "spacings and nodes": one(
        {"spacings": "0.3 0.4 0.5", "axis mins": "1 2 3", "centers": "node node node"},
        base=PLAIN,
        expected=Volume(VALUES, Geometry(GRID.size, SPACING, (1, 2, 3))),
    ),
    "spacings and cells": one(
        {"spacings": "0.3 0.4 0.5", "axis mins": "1 2 3", "centerings": "cell cell cell"},
        base=PLAIN,
        expected=Volume(VALUES, Geometry(GRID.size, SPACING, (1.15, 2.2, 3.25))),
    ),
    "none": one(base=PLAIN, expected="no voxel spacing"),
    "not a number": one({"spacings": "0.3 nan 0.5"}, base=PLAIN, expected="spacing"),
    "negative": one({"spacings": "0.3 -0.4 0.5"}, base=PLAIN, expected="-0.4 mm"),
    "in a space": one(
        {"spacings": "0.3 0.4 0.5", "space": "RAS"}, base=PLAIN, expected="how its axes lie"
    ),
    "with an origin": one(
        {"spacings": "0.3 0.4 0.5", "space origin": "(1,2,3)"}, base=PLAIN, expected="how its axes"
    ),
    "of kinds unknown": one(
        {"spacings": "0.3 0.4 0.5", "kinds": "none ??? space"}, base=PLAIN, expected=STRAIGHT
    ),
    "two only": one({"spacings": "0.3 0.4"}, base=PLAIN, expected="damaged"),
}
HEXED = RAW.hex().encode()
CODED = {
    "raw": one(),
    "gzip": one({"encoding": "gzip"}, gzip.compress(RAW)),
    "gz": one({"encoding": "gz"}, gzip.compress(RAW)),
    "bzip2": one({"encoding": "bzip2"}, bz2.compress(RAW)),
    "bz2": one({"encoding": "bz2"}, bz2.compress(RAW)),
    "two streams": one({"encoding": "gzip"}, gzip.compress(RAW[:99]) + gzip.compress(RAW[99:])),
    "two bzip2 streams": one({"encoding": "bz2"}, bz2.compress(RAW[:99]) + bz2.compress(RAW[99:])),
    "hex": one({"encoding": "hex"}, HEXED),
    "HEX in lines": one({"encoding": "hex"}, b"\n".join([HEXED[:76].upper(), HEXED[76:], b""])),
    "ascii": one({"encoding": "ascii", "endian": None}, LETTERS.encode()),
    "ASCII": one({"encoding": "ASCII"}, LETTERS.encode()),
    "text in lines": one({"encoding": "text"}, LETTERS.replace(" ", "\n").encode() + b"\n"),
    "txt": one({"encoding": "txt"}, LETTERS.encode()),
    "text of floats": one(
        {"encoding": "txt", "type": "float"},
        LETTERS.replace(" ", ".25 ").encode() + b".25",
        expected=Volume((VALUES + 0.25).astype(np.float32), GRID),
    ),
    "zrl": one({"encoding": "zrl"}, expected="encoding 'zrl'"),
    "text that is none": one(
        {"encoding": "txt"}, LETTERS.encode()[:-9] + b" x 1 2 3 4 5", expected="damaged"
    ),
    "text beyond the type": one(
        {"encoding": "txt", "type": "uchar"}, LETTERS.encode(), expected="damaged"
    ),
    "hex that is none": one({"encoding": "hex"}, HEXED[:-4] + b"xyz0", expected="damaged"),
    "bzip2 that is cut off": one({"encoding": "bzip2"}, bz2.compress(RAW)[:-9], expected="cut off"),
    "bzip2 that is wrong": one(
        {"encoding": "bzip2"}, bz2.compress(RAW)[:40] + bytes(300), expected="damaged"
    ),
    "raw that is cut off": one({}, RAW[:-1], expected="cut off"),
    "more than it says": one({}, RAW + b"trailer"),
    "byte skip": one({"byte skip": "5"}, b"12345" + RAW),
    "byteskip": one({"byteskip": "5"}, b"12345" + RAW),
    "line skip": one({"line skip": "2"}, b"a\nb\n" + RAW),
    "both skips": one({"lineskip": "1", "byteskip": "3"}, b"a\n123" + RAW),
    "from the end": one({"byte skip": "-1"}, b"whatever" + RAW),
    "skips and gzip": one(
        {"encoding": "gzip", "line skip": "1", "byte skip": "4"},
        b"a\n" + gzip.compress(b"1234" + RAW),
    ),
    "from the end of gzip": one(
        {"encoding": "gzip", "byte skip": "-1"}, gzip.compress(b"1234" + RAW)
    ),
    "skips beyond the end": one({"line skip": "9999"}, expected="cut off"),
    "skips and text": one(
        {"encoding": "txt", "line skip": "1", "byte skip": "4"}, b"9 9\n7 8 " + LETTERS.encode()
    ),
    "skips and hex": one({"encoding": "hex", "byte skip": "2"}, b"ffff" + HEXED),
    "no endian": one({"endian": None}, expected="endian"),
    "endian of nothing": one({"endian": "middle"}, expected="endian"),
    "no endian, one byte": one(
        {"endian": None, "type": "uchar"},
        VALUES.astype(np.uint8).tobytes(),
        expected=Volume(VALUES.astype(np.uint8), GRID),
    ),
}
BESIDE = {
    "raw": beside("scan.raw"),
    "a name with spaces": beside("the scan.raw"),
    "a name of another language": beside("脳動脈瘤 Å.raw"),
    "datafile": Form({"scan.nhdr": nrrd({"datafile": "scan.raw"}, b""), "scan.raw": RAW}),
    "after ./": Form({"scan.nhdr": nrrd({"data file": "./scan.raw"}, b""), "scan.raw": RAW}),
    "gzip": beside("scan.raw.gz", gzip.compress(RAW), encoding="gzip"),
    "text": beside("scan.txt", LETTERS.encode(), encoding="text"),
    "from the end": beside("scan.dat", b"another header" + RAW, byteskip="-1"),
    "skips": beside("scan.dat", b"a\nbc" + RAW, lineskip="1", byteskip="2"),
    "in a .nrrd": Form({"scan.nrrd": nrrd({"data file": "scan.raw"}, b""), "scan.raw": RAW}),
    "no empty line": Form({"scan.nhdr": nrrd({"data file": "s.raw"}, b"").rstrip(), "s.raw": RAW}),
    "a list": Form(
        {"scan.nhdr": nrrd({"data file": "LIST"}, b"a.raw\nb.raw\n")}, "several data files"
    ),
    "numbered": Form(
        {"scan.nhdr": nrrd({"data file": "%03d.raw 1 5 1"}, b"")}, "several data files"
    ),
    "missing": Form({"scan.nhdr": nrrd({"data file": "other.raw"}, b"")}, "missing"),
    "elsewhere": Form(
        {"scan.nhdr": nrrd({"data file": "../x.raw"}, b"")}, "outside its own folder"
    ),
}
TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": (
        "longlong",
        "long long",
        "long long int",
        "signed long long",
        "signed long long int",
        "int64",
        "int64_t",
    ),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
TYPED = {
    **{
        f"{name}, {order}": typed(name, kind, order)
        for kind, names in TYPES.items()
        for name in names
        for order in ("little", "big")
    },
    "block": one({"type": "block"}, expected="block"),
    "half": one({"type": "half"}, expected="half"),
}


def framed(sizes: str, kinds: str, before: bool, **changed: str) -> Form:
    directions = place()["space directions"]
    directions = f"none {directions}" if before else f"{directions} none"
    fields = {"dimension": "4", "sizes": sizes, "kinds": kinds, "space directions": directions}
    return one({**fields, **changed})


TWO = np.stack([VALUES, VALUES + 1])
FRAMES = {
    **{
        f"{kind} first": framed("1 7 6 5", f"{kind} domain domain domain", True)
        for kind in ("list", "vector", "time", "scalar", "none", "stub", "???")
    },
    **{
        f"{kind} last": framed("7 6 5 1", f"domain domain domain {kind}", False)
        for kind in ("list", "vector", "time")
    },
    "in spacings": one(
        {
            "dimension": "4",
            "sizes": "1 7 6 5",
            "spacings": "nan 0.3 0.4 0.5",
            "kinds": "list space space space",
        },
        base=PLAIN,
        expected=STRAIGHT,
    ),
    "last in spacings": one(
        {
            "dimension": "4",
            "sizes": "7 6 5 1",
            "spacings": "0.3 0.4 0.5 1",
            "kinds": "domain domain domain time",
        },
        base=PLAIN,
        expected=STRAIGHT,
    ),
    "two last": one(
        {
            "dimension": "4",
            "sizes": "7 6 5 2",
            "kinds": "domain domain domain time",
            "space directions": place()["space directions"] + " none",
        },
        TWO.tobytes(),
        expected="is 4D (7 x 6 x 5 x 2 voxels)",
    ),
    "two first": one(
        {
            "dimension": "4",
            "sizes": "2 7 6 5",
            "kinds": "list domain domain domain",
            "space directions": "none " + place()["space directions"],
        },
        np.ascontiguousarray(np.moveaxis(TWO, 0, -1)).tobytes(),
        expected="2 values a voxel",
    ),
    "colors": one(
        {
            "dimension": "4",
            "sizes": "3 7 6 5",
            "kinds": "RGB-color domain domain domain",
            "space directions": "none " + place()["space directions"],
        },
        RAW * 3,
        expected="3 values a voxel (color)",
    ),
    "complex": one(
        {
            "dimension": "4",
            "sizes": "2 7 6 5",
            "kinds": "complex domain domain domain",
            "space directions": "none " + place()["space directions"],
        },
        RAW * 2,
        expected="2 values a voxel",
    ),
    "a run of pictures": one(
        {
            "sizes": "7 6 5",
            "kinds": "domain domain time",
            "space": None,
            "space directions": None,
            "space origin": None,
            "spacings": "0.3 0.4 1",
        },
        expected="2D",
    ),
    "one slice": one({"sizes": "7 30 1"}, expected="2D"),
    "as ITK writes it": one(
        {
            "dimension": "4",
            "space": None,
            "space dimension": "4",
            "sizes": "7 6 5 1",
            "kinds": "domain domain domain domain",
            "space origin": "(-31,17,102.5,0)",
            "space directions": vectors(
                np.block([[AXES * SPACING, np.zeros((3, 1))], [np.zeros((1, 3)), 1]])
            ),
        }
    ),
    "axes through time": one(
        {
            "dimension": "4",
            "space": None,
            "space dimension": "4",
            "sizes": "7 6 5 1",
            "kinds": None,
            "space origin": None,
            "space directions": "(1,0,0,0) (0,1,0,0) (0,0,1,1) (0,0,0,1)",
        },
        expected="damaged",
    ),
    "four that span space": one(
        {"dimension": "4", "sizes": "7 6 5 1", "spacings": "0.3 0.4 0.5 1"},
        base=PLAIN,
        expected=STRAIGHT,
    ),
    "axes of no size": one({"sizes": "7 6 0"}, expected="size zero"),
    "another dimension": one({"dimension": "4"}, expected="damaged"),
    "seventeen": one({"dimension": "17", "sizes": "1 " * 17}, expected="damaged"),
}

FORMS = {
    f"{group}: {name}": form
    for group, forms in {
        "text": TEXTS,
        "space": SPACES,
        "spacing": SPACINGS,
        "encoding": CODED,
        "beside": BESIDE,
        "type": TYPED,
        "frames": FRAMES,
    }.items()
    for name, form in forms.items()
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_nrrd(name: str, tmp_path: Path) -> None:
    check_form(FORMS[name], tmp_path)
