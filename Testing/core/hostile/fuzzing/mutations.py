"""Damage for bytes: blind damage, and damage that knows the format.

Everything is drawn from the ``random.Random`` that is passed in, so that a seed and a number give
the same bytes again.
"""

from __future__ import annotations

import gzip
import io
import re
import struct
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

Edit = Callable[[Random, bytes], bytes]

Files = dict[str, bytes]
"""What lies in a case's folder: names and contents."""

OUTSIDE = "../outside.raw"
"""A file that the test puts beside the case's folder: nothing may read it."""

NUMBERS = (
    b"-1", b"0", b"1", b"2", b"7", b"65536", b"30000", b"2147483647", b"-2147483648",
    b"4294967296", b"9223372036854775807", b"18446744073709551616", b"99999999999999999999999",
    b"1e9", b"1e999", b"-1e-999", b"nan", b"inf", b"-inf", b"0.0", b"0x7fffffff", b"1e", b".",
)  # fmt: skip

WORDS = (
    b"", b" ", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xf0\x28\x8c\x28", b"A" * 70_000,
    b"%s%s%s%n%n", b"../" * 12 + b"etc/passwd", b"/etc/passwd", OUTSIDE.encode(), b"/dev/zero",
    b"LIST", b"%04d.raw 1 100000000 1", b"C:\\Windows\\win.ini", b"~/.ssh/id_rsa",
    b"http://127.0.0.1:9/x", b"(1,0,0) (0,1,0) (0,0,1)", b"none", b"(nan,nan,nan)", b"true",
    b"gzip", b"raw", b"ascii", b"hex", b"bzip2", b"zrl", b"block", b"double", b"uchar", b"\x1b[2J",
)  # fmt: skip


def flip_bits(chance: Random, content: bytes) -> bytes:
    result = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        if result:
            # Headers come first, and decide more than voxels do.
            limit = len(result) if chance.random() < 0.3 else min(len(result), 600)
            result[chance.randrange(limit)] ^= 1 << chance.randrange(8)
    return bytes(result)


def truncate(chance: Random, content: bytes) -> bytes:
    limit = len(content) if chance.random() < 0.5 else min(len(content), 600)
    return content[: chance.randrange(limit + 1)]


def overwrite(chance: Random, content: bytes) -> bytes:
    result = bytearray(content)
    at = chance.randrange(min(len(content), 2000) + 1)
    length = chance.choice([1, 2, 4, 8, 64, 512])
    result[at : at + length] = chance.choice(
        [chance.randbytes(length), b"\0" * length, b"\xff" * length, b"9" * length]
    )
    return bytes(result)


def splice(chance: Random, content: bytes) -> bytes:
    """Insert, delete or repeat a stretch."""
    result = bytearray(content)
    at = chance.randrange(min(len(content), 2000) + 1)
    length = chance.choice([1, 2, 8, 64, 1024])
    kind = chance.randrange(4)
    if kind == 0:
        result[at:at] = chance.choice([chance.choice(WORDS), chance.choice(NUMBERS)])
    elif kind == 1:
        del result[at : at + length]
    elif kind == 2:
        result[at:at] = result[at : at + length] * chance.choice([1, 2, 50])
    else:
        result[0:0] = chance.choice([b"\xef\xbb\xbf", b"\n", b"\r\n", b"\0", b"#\n", b" "])
    return bytes(result)


BLIND = (flip_bits, flip_bits, truncate, overwrite, splice)


def edit_lines(chance: Random, head: bytes, separator: bytes, keys: tuple[bytes, ...]) -> bytes:
    """Edit a header of ``key separator value`` lines: values, numbers, order, repeats, new keys."""
    lines = head.split(b"\n")
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        at = chance.randrange(len(lines))
        key, found, value = lines[at].partition(separator)
        kind = chance.randrange(8)
        if kind <= 1 and found:
            lines[at] = key + separator + chance.choice(WORDS + NUMBERS)
        elif kind <= 3 and found:
            lines[at] = key + separator + edit_number(chance, value)
        elif kind == 4:
            lines.insert(chance.randrange(len(lines) + 1), lines[at])
        elif kind == 5:
            del lines[at]
            lines = lines or [b""]
        elif kind == 6:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        else:
            new = chance.choice(keys) + separator + chance.choice(WORDS + NUMBERS)
            lines.insert(chance.randrange(len(lines) + 1), new)
    return b"\n".join(lines)


def edit_number(chance: Random, text: bytes) -> bytes:
    """Replace one number in a text, or repeat or drop it."""
    places = [match.span() for match in re.finditer(rb"-?\d+(\.\d+)?", text)]
    if not places:
        return chance.choice(WORDS)
    start, end = chance.choice(places)
    new = chance.choice([*NUMBERS, b"", text[start:end] * 40, b" ".join([text[start:end]] * 12)])
    return text[:start] + new + text[end:]


NRRD_KEYS = (
    b"type", b"dimension", b"space", b"space dimension", b"sizes", b"spacings", b"thicknesses",
    b"axis mins", b"space directions", b"space origin", b"kinds", b"centers", b"endian",
    b"encoding", b"data file", b"datafile", b"byte skip", b"line skip", b"block size", b"min",
    b"max", b"content", b"number", b"labels", b"units", b"measurement frame", b"old min",
)  # fmt: skip

SEGMENT_KEYS = (
    b"Segment0_Name", b"Segment0_LabelValue", b"Segment0_Layer", b"Segment1_Name",
    b"Segment1_Tags", b"Segment2_Name", b"Segmentation_ConversionParameters",
)  # fmt: skip

META_KEYS = (
    b"ObjectType", b"NDims", b"DimSize", b"ElementType", b"ElementSpacing", b"ElementSize",
    b"TransformMatrix", b"Offset", b"Orientation", b"Position", b"CenterOfRotation", b"HeaderSize",
    b"ElementNumberOfChannels", b"BinaryData", b"BinaryDataByteOrderMSB", b"CompressedData",
    b"CompressedDataSize", b"ElementDataFile", b"ElementMin", b"ElementMax", b"Modality", b"Name",
    b"AnatomicalOrientation", b"ElementToIntensityFunctionSlope", b"Comment", b"SequenceID",
)  # fmt: skip


def edit_nrrd(chance: Random, content: bytes) -> bytes:
    head, end, data = content.partition(b"\n\n")
    return edit_lines(chance, head, b": ", NRRD_KEYS) + end + data


def edit_segments(chance: Random, content: bytes) -> bytes:
    """Edit what an NRRD file says of its segments."""
    head, end, data = content.partition(b"\n\n")
    return edit_lines(chance, head, b":=", SEGMENT_KEYS) + end + data


def edit_meta(chance: Random, content: bytes) -> bytes:
    end = content.find(b"\n", content.find(b"ElementDataFile"))
    return edit_lines(chance, content[:end], b" = ", META_KEYS) + content[end:]


_NIFTI_FIELDS = (
    ("<i", 0), *(("<h", 40 + 2 * n) for n in range(8)), ("<h", 70), ("<h", 72), ("<h", 74),
    *(("<f", 76 + 4 * n) for n in range(8)), ("<f", 108), ("<f", 112), ("<f", 116), ("<h", 120),
    ("<h", 252), ("<h", 254), *(("<f", 256 + 4 * n) for n in range(18)), ("<i", 344), ("<i", 348),
    ("<i", 352), ("<i", 356),
)  # fmt: skip


def edit_nifti(chance: Random, content: bytes) -> bytes:
    """Set fields of a NIfTI-1 header: sizes, types, spacings, offsets, codes, extensions."""
    result = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 4])):
        kind, at = chance.choice(_NIFTI_FIELDS)
        values: list[float] = [0, 1, -1, 2, 3, 4, 7, 8, 16, 64, 128, 255, 512, 1792, 30000, 32767]
        if kind != "<h":
            values += [2**31 - 1, -(2**31), 1e6, 2**28, 353]
        if kind == "<f":
            values += [float("nan"), float("inf"), 1e30, 1e-30, -0.5]
        value = chance.choice(values)
        if at + 4 <= len(result):
            struct.pack_into(kind, result, at, value if kind == "<f" else int(value))
    return bytes(result)


def edit_dicom(chance: Random, content: bytes) -> bytes:
    """Set lengths, numbers and texts of elements."""
    result = bytearray(content)
    places = [match.start() for match in re.finditer(rb"[A-Z][A-Z](?=..)", content, re.DOTALL)]
    places = [at for at in places if at < 2500] or [132]
    for _ in range(chance.choice([1, 1, 2, 3])):
        at = chance.choice(places)
        kind = chance.randrange(5)
        if kind == 0:
            result[at + 2 : at + 4] = chance.choice([b"\0\0", b"\xff\xff", b"\xfe\xff", b"\1\0"])
        elif kind == 1:
            result[at + 4 : at + 8] = chance.choice([b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f"])
        elif kind == 2:
            result[at : at + 2] = chance.choice([b"SQ", b"OB", b"OW", b"UN", b"UT", b"US", b"ZZ"])
        elif kind == 3:
            length = max(1, int.from_bytes(result[at + 2 : at + 4], "little") % 64)
            text = chance.choice(NUMBERS + WORDS)[:length].ljust(length, b"\\")
            result[at + 4 : at + 4 + length] = text
        else:
            item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"  # items of undefined length, never closed
            result[at - 4 : at - 4] = b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff" + item * 2000
    return bytes(result)


_DICOM_VALUES: dict[str, tuple[Any, ...]] = {
    "Rows": (0, 1, 65535, 9), "Columns": (0, 1, 65535, 13), "NumberOfFrames": (0, -1, 2, 10**9),
    "SamplesPerPixel": (0, 3, 65535), "BitsAllocated": (0, 1, 7, 8, 12, 32, 64, 65535),
    "BitsStored": (0, 1, 17, 65535), "HighBit": (0, 14, 65535), "PixelRepresentation": (1, 2, 9),
    "PhotometricInterpretation": ("", "RGB", "MONOCHROME1", "PALETTE COLOR", "x" * 16),
    "PixelSpacing": ([0, 0], [-1, -1], ["nan", "nan"], [1e300, 1e-300], [0.4], ["inf", 1]),
    "ImagePositionPatient": ([0, 0], ["nan"] * 3, [1e300] * 3, [0, 0, 0]),
    "ImageOrientationPatient": ([0] * 6, [1] * 6, ["nan"] * 6, [1, 0, 0, 1, 0, 0], [1e200] * 6),
    "RescaleSlope": (0, "nan", 1e300, -1e-300, "inf"), "RescaleIntercept": ("nan", 1e300, -1e9),
    "GridFrameOffsetVector": ([0] * 8, ["nan"] * 8, list(range(8))),
    "SpacingBetweenSlices": (0, -1),
    "SeriesInstanceUID": ("", "1.2.9", "x" * 64), "SOPClassUID": ("", "1.2", "../x"),
    "SOPInstanceUID": ("", "1.2.3.4.1"), "SeriesNumber": (-(2**31), 2**31 - 1, 0),
    "SeriesDescription": ("\x1b[2J", "A" * 64, "%s%n"), "ImageType": ("", ["A"] * 50),
    "AcquisitionNumber": (1, 2), "InstanceNumber": (-1, 0, 7), "SeriesDate": ("x", "99999999"),
}  # fmt: skip
_SYNTAXES = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201", "1.2.3", "",
)  # fmt: skip


def edit_elements(chance: Random, content: bytes) -> bytes:
    """Set, take away or move elements of a file that stays well-formed, also in its sequences."""
    from pydicom import config, dcmread

    try:
        ds = dcmread(io.BytesIO(content), force=True)
        places = [ds, *(item for one in ds.iterall() if one.VR == "SQ" for item in one.value)]
    except Exception:  # another damage came before this one
        return splice(chance, content)
    config.settings.writing_validation_mode = config.IGNORE
    config.settings.reading_validation_mode = config.IGNORE
    for _ in range(chance.choice([1, 1, 2, 3])):
        place = chance.choice([ds, chance.choice(places)])
        keyword = chance.choice([*_DICOM_VALUES, "TransferSyntaxUID", "PixelData"])
        try:
            if keyword == "TransferSyntaxUID":
                ds.file_meta.TransferSyntaxUID = chance.choice(_SYNTAXES)
            elif keyword == "PixelData":
                at = chance.randrange(len(ds.PixelData) + 1)
                ds.PixelData = ds.PixelData[:at] + chance.randbytes(8) + ds.PixelData[at + 8 :]
            elif chance.random() < 0.2 and len(place):
                del place[chance.choice([one.tag for one in place])]
            else:
                setattr(place, keyword, chance.choice(_DICOM_VALUES[keyword]))
        except Exception:  # not every value can be set everywhere
            continue
    return _rewritten(ds, content)


def _rewritten(ds: Any, content: bytes) -> bytes:
    """A data set as bytes in its old coding, whatever it now says of that."""
    from pydicom.filewriter import dcmwrite

    buffer = io.BytesIO()
    implicit, little = ds.original_encoding
    named = ds.file_meta.get("TransferSyntaxUID", "")
    try:
        for name in [tag for tag in ds.file_meta if tag.keyword == "TransferSyntaxUID"]:
            del ds.file_meta[name.tag]
        dcmwrite(buffer, ds, implicit_vr=implicit, little_endian=little)
    except Exception:  # what cannot be written
        return splice(Random(len(content)), content)
    head = b"\2\0\x10\0UI" + struct.pack("<H", len(named) + len(named) % 2)
    head += str(named).encode().ljust(len(named) + len(named) % 2, b"\0")
    body = buffer.getvalue()
    start = 144 + int.from_bytes(body[140:144], "little") if body[128:132] == b"DICM" else 0
    length = b"\2\0\0\0UL\4\0" + struct.pack("<I", len(head))
    return bytes(128) + b"DICM" + length + head + body[start:]


def edit_json(chance: Random, content: bytes) -> bytes:
    """Numbers, repeated keys, other types, depth, endless texts."""
    kind = chance.randrange(8)
    tokens = [m.span() for m in re.finditer(rb'"[^"]*"|-?\d+(\.\d+)?|true|false|null', content)]
    if not tokens or kind == 0:
        return chance.choice([b"[" * 100_000, b'{"a":' * 3000 + b"1" + b"}" * 3000, b"", b"null"])
    start, end = chance.choice(tokens)
    new = chance.choice([
        b"null", b"true", b"[]", b"{}", b"-1", b"1e999", b"NaN", b"-Infinity", b"9" * 5000, b"0.5",
        b'""', b'"../../../../../../etc/passwd"', b'"/etc/passwd"', b'"\\ud800"', b'"\\u0000"',
        b'"' + b"A" * 70_000 + b'"', b"[[[[[[[[[[[[1]]]]]]]]]]]]", b'"\xff"', b'"a\\nb\\u001b[2J"',
        b"[1,2,3]", b'{"__class__":"os.system"}', b'"~"', b'"."', b'".."', b"1e30", b"2147483648",
    ])  # fmt: skip
    if kind <= 4:
        return content[:start] + new + content[end:]
    if kind == 5:
        return content.replace(b"{", b"{" + content[start:end] + b": " + new + b", ", 1)
    if kind == 6:
        return content[:start] + content[start:end] * chance.choice([2, 3]) + content[end:]
    return chance.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"//", b"\0"]) + content


def edit_toml(chance: Random, content: bytes) -> bytes:
    """As for JSON, and keys, tables and quotes of TOML's own."""
    lines = content.split(b"\n")
    at = chance.randrange(len(lines))
    kind = chance.randrange(5)
    if kind == 0:
        lines.insert(at, lines[chance.randrange(len(lines))])
    elif kind == 1:
        lines[at] = chance.choice([
            b"[" * 5000, b"a = " + b"[" * 50_000, b"a" + b".a" * 5000 + b" = 1", b'x = """',
            b"[run]", b"steps = 1e99", b"steps = " + b"9" * 5000, b"[[data]]", b"steps = 0xF",
            b"name = '../../x'", b"output = '/proc/1/x'", b"patch = [1e9, 1, 1]", b"\xff\xff",
            b"patch = [1000000, 1000000, 1000000]", b"batch_size = -5", b"d = 9999-99-99",
        ])  # fmt: skip
    elif kind == 2:
        key, found, value = lines[at].partition(b" = ")
        lines[at] = key + found + edit_number(chance, value)
    else:
        return edit_json(chance, content)
    return b"\n".join(lines)


def repack(chance: Random, content: bytes, edit: Edit) -> bytes:
    """Damage what is inside a gzip stream; sometimes make it a bomb."""
    try:
        inner = edit(chance, gzip.decompress(content))
    except (OSError, EOFError, zlib.error):  # another damage came before this one
        return splice(chance, content)
    if chance.random() < 0.1:
        inner += bytes(chance.choice([1, 64]) * 2**20)
    return gzip.compress(inner, compresslevel=1)


def bomb(chance: Random, content: bytes) -> bytes:
    """Voxel data that inflate to far more than the header says."""
    at = content.find(b"\n\n") + 2
    stream = zlib.compressobj(1, wbits=31)
    zeros = bytes(2**20)
    data = b"".join(stream.compress(zeros) for _ in range(chance.choice([8, 64, 256])))
    return content[:at] + data + stream.flush()
