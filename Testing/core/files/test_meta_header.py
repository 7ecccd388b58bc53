"""MetaImage as other programs write it: every form is read right, or refused in a sentence."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from known_image import (
    AXES,
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

RAW = VALUES.tobytes()


def numbers(values: object) -> str:
    return " ".join(repr(float(x)) for x in np.ravel(values))  # type: ignore[call-overload]


BASE = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": numbers(AXES.T),
    "Offset": numbers(ORIGIN),
    "CenterOfRotation": "0 0 0",
    "AnatomicalOrientation": "RAI",
    "ElementSpacing": numbers(SPACING),
    "DimSize": "7 6 5",
    "ElementType": "MET_SHORT",
}
LETTERS = " ".join(map(str, VALUES.reshape(-1))).encode()


def meta(
    changed: dict[str, str | None] | None = None,
    data: bytes = RAW,
    *,
    file: str = "LOCAL",
    end: str = "\n",
    equal: str = " = ",
) -> bytes:
    fields = {**BASE, **(changed or {}), "ElementDataFile": file}
    lines = [f"{name}{equal}{text}" for name, text in fields.items() if text is not None]
    return (end.join([*lines, ""])).encode() + data


def one(
    changed: dict[str, str | None] | None = None,
    data: bytes = RAW,
    expected: Volume | str = KNOWN,
    **how: str,
) -> Form:
    return Form({"scan.mha": meta(changed, data, **how)}, expected)


def beside(name: str, data: bytes = RAW, **changed: str) -> Form:
    return Form({"scan.mhd": meta({**changed}, b"", file=name), name: data})


def typed(name: str, kind: str, order: str, switch: str) -> Form:
    array = VALUES.astype(kind)
    data = array.astype(np.dtype(kind).newbyteorder(order)).tobytes()
    changed: dict[str, str | None] = {"ElementType": name, "BinaryDataByteOrderMSB": None}
    changed[switch] = str(order == ">")
    array = array.astype(np.float32) if kind[0] == "f" else array
    return one(changed, data, Volume(array, GRID))


TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
MOVED = Volume(VALUES, Geometry(GRID.size, SPACING, (0, 0, 0), GRID.direction))
MIRRORED = AXES * (1, 1, -1)
PACKED = zlib.compress(RAW)
FORMS = {
    "as ITK writes it": one(),
    "no spaces": one(equal="="),
    "colons": one(equal=": "),
    "lines of Windows": one(end="\r\n"),
    **{
        f"{name}, {switch}, {order}": typed(name, kind, order, switch)
        for name, kind in TYPES.items()
        for order in "<>"
        for switch in ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    },
    "an array type": one({"ElementType": "MET_FLOAT_ARRAY"}, expected="MET_FLOAT_ARRAY"),
    "an unknown type": one({"ElementType": "MET_HALF"}, expected="MET_HALF"),
    "no type": one({"ElementType": None}, expected="type ''"),
    "Position": one({"Offset": None, "Position": numbers(ORIGIN)}),
    "Origin": one({"Offset": None, "Origin": numbers(ORIGIN)}),
    "no offset": one({"Offset": None}, expected=MOVED),
    "Rotation": one({"TransformMatrix": None, "Rotation": numbers(AXES.T)}),
    "Orientation": one({"TransformMatrix": None, "Orientation": numbers(AXES.T)}),
    "no axes": one({"TransformMatrix": None, "Offset": None}, expected=STRAIGHT),
    "a center of rotation": one({"CenterOfRotation": "5 6 7"}),
    "axes of the other hand": one(
        {"TransformMatrix": numbers(MIRRORED.T)},
        expected=Volume(VALUES, Geometry(GRID.size, SPACING, ORIGIN, tuple(MIRRORED.reshape(-1)))),
    ),
    "sheared axes": one({"TransformMatrix": "1 0 0 0.5 1 0 0 0 1"}, expected="not perpendicular"),
    "axes with lengths": one(
        {"TransformMatrix": numbers(AXES.T * 2)}, expected="not perpendicular"
    ),
    "no spacing": one({"ElementSpacing": None}, expected="no voxel spacing"),
    "a size of voxels only": one(
        {"ElementSpacing": None, "ElementSize": numbers(SPACING)}, expected="no voxel spacing"
    ),
    "a size of voxels too": one({"ElementSize": "1 1 1"}),
    "negative": one({"ElementSpacing": "0.3 -0.4 0.5"}, expected="-0.4 mm"),
    "zero": one({"ElementSpacing": "0.3 0 0.5"}, expected="0 mm"),
    "in um": one(
        {
            "DistanceUnits": "um",
            "ElementSpacing": "300 400 500",
            "Offset": numbers(np.array(ORIGIN) * 1000),
        }
    ),
    "in cm": one(
        {
            "DistanceUnits": "cm",
            "ElementSpacing": "0.03 0.04 0.05",
            "Offset": numbers(np.array(ORIGIN) / 10),
        }
    ),
    "in mm": one({"DistanceUnits": "mm"}),
    "in unknown units": one({"DistanceUnits": "?"}),
    "in feet": one({"DistanceUnits": "feet"}, expected="feet"),
    "scaled": one(
        {"ElementToIntensityFunctionSlope": "2", "ElementToIntensityFunctionOffset": "-1024"},
        expected=Volume((VALUES * 2.0 - 1024).astype(np.float32), GRID),
    ),
    "scaled by nothing": one(
        {"ElementToIntensityFunctionSlope": "1", "ElementToIntensityFunctionOffset": "0"}
    ),
    "one channel": one({"ElementNumberOfChannels": "1"}),
    "three channels": one({"ElementNumberOfChannels": "3"}, RAW * 3, "3 values a voxel (color)"),
    "two channels": one({"ElementNumberOfChannels": "2"}, RAW * 2, "2 values a voxel"),
    "compressed": one({"CompressedData": "True", "CompressedDataSize": str(len(PACKED))}, PACKED),
    "compressed, no size": one({"CompressedData": "True"}, PACKED),
    "compressed, cut off": one({"CompressedData": "True"}, PACKED[:-9], "cut off"),
    "compressed, wrong": one({"CompressedData": "True"}, PACKED[:50] + bytes(400), "damaged"),
    "compressed, not said": one(
        {"CompressedDataSize": str(len(PACKED)), "CompressedData": None}, PACKED, "cut off"
    ),
    "letters": one({"BinaryData": "False"}, LETTERS),
    "letters in lines": one({"BinaryData": "False"}, LETTERS.replace(b" ", b"\n") + b"\n"),
    "no word of binary": one({"BinaryData": None}),
    "no word of binary, letters": one({"BinaryData": None}, LETTERS, "damaged"),
    "no word of bytes' order": one({"BinaryDataByteOrderMSB": None}),
    "a header size within the header": one({"HeaderSize": "5"}, b"12345" + RAW, "damaged"),
    "a header size": Form(
        {"scan.mha": meta({"HeaderSize": "999"}).removesuffix(RAW).ljust(999) + RAW}
    ),
    "beside, a header size": beside("scan.dat", b"12345" + RAW, HeaderSize="5"),
    "from the end": one({"HeaderSize": "-1"}, b"12345" + RAW),
    "local": one(file="Local"),
    "cut off": one({}, RAW[:-1], "cut off"),
    "more than it says": one({}, RAW + b"trailer"),
    "beside": beside("scan.raw"),
    "beside, another language": beside("脳動脈瘤 Å.raw"),
    "beside, packed": beside("scan.zraw", PACKED, CompressedData="True"),
    "beside, big endian": beside(
        "scan.raw", VALUES.astype(">i2").tobytes(), BinaryDataByteOrderMSB="True"
    ),
    "beside, from the end": beside("scan.dat", b"another header" + RAW, HeaderSize="-1"),
    "beside, letters": beside("scan.txt", LETTERS, BinaryData="False"),
    "a list": Form({"scan.mhd": meta(None, b"a.raw\nb.raw\n", file="LIST")}, "several data files"),
    "numbered": Form({"scan.mhd": meta(None, b"", file="%03d.raw 1 5 1")}, "several data files"),
    "missing": Form({"scan.mhd": meta(None, b"", file="other.raw")}, "missing"),
    "one frame": one(
        {
            "NDims": "4",
            "DimSize": "7 6 5 1",
            "ElementSpacing": numbers((*SPACING, 1)),
            "Offset": numbers((*ORIGIN, 0)),
            "CenterOfRotation": "0 0 0 0",
            "TransformMatrix": numbers(
                np.block([[AXES.T, np.zeros((3, 1))], [np.zeros((1, 3)), 1]])
            ),
        }
    ),
    "one frame, no axes": one(
        {
            "NDims": "4",
            "DimSize": "7 6 5 1",
            "ElementSpacing": numbers((*SPACING, 1)),
            "Offset": None,
            "CenterOfRotation": None,
            "TransformMatrix": None,
        },
        expected=STRAIGHT,
    ),
    "two frames": one(
        {
            "NDims": "4",
            "DimSize": "7 6 5 2",
            "ElementSpacing": numbers((*SPACING, 1)),
            "Offset": None,
            "CenterOfRotation": None,
            "TransformMatrix": None,
        },
        RAW * 2,
        "4D (7 x 6 x 5 x 2 voxels)",
    ),
    "one frame first": one(
        {
            "NDims": "4",
            "DimSize": "1 7 6 5",
            "ElementSpacing": numbers((1, *SPACING)),
            "Offset": None,
            "CenterOfRotation": None,
            "TransformMatrix": None,
        },
        expected="4D (1 x 7 x 6 x 5 voxels)",
    ),
    "two axes": one(
        {
            "NDims": "2",
            "DimSize": "7 30",
            "ElementSpacing": "0.3 0.4",
            "Offset": None,
            "CenterOfRotation": None,
            "TransformMatrix": None,
        },
        expected="2D",
    ),
    "one slice": one({"DimSize": "7 30 1"}, expected="2D"),
    "no size": one({"DimSize": "7 0 5"}, expected="size zero"),
    "no sizes": one({"DimSize": None}, expected="damaged"),
    "a comment in another language": one({"Comment": "Anévrisme \x85 動脈瘤"}),
    "a comment with an equals sign": one({"Comment": "a = b: c"}),
    "not finite": one(
        {"ElementType": "MET_FLOAT"},
        HOLED.astype("<f4").tobytes(),
        "not finite",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_metaimage(name: str, tmp_path: Path) -> None:
    check_form(FORMS[name], tmp_path)
