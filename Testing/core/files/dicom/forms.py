"""DICOM objects of every kind that hospitals export, made from one small known volume."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume

CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
SECONDARY_WORDS = "1.2.840.10008.5.1.4.1.1.7.3"
XA = "1.2.840.10008.5.1.4.1.1.12.1"
ENHANCED_XA = "1.2.840.10008.5.1.4.1.1.12.1.1"
ENHANCED_XRF = "1.2.840.10008.5.1.4.1.1.12.2.1"
XRAY_3D = "1.2.840.10008.5.1.4.1.1.13.1.1"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
JPEG_2000 = "1.2.840.10008.1.2.4.90"

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_TURN, _TILT = np.radians((25, 15))
OBLIQUE = (
    np.cos(_TURN), np.sin(_TURN), 0.0,
    -np.sin(_TURN) * np.cos(_TILT), np.cos(_TURN) * np.cos(_TILT), np.sin(_TILT),
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """A volume and how it is stored.

    Attributes:
        stored: values (k, j, i) as they are in the files, before any rescaling.
        orientation: unit vectors along a row and down a column.
        spacing: mm along a row, down a column, between slices.
        changes: elements of all objects, by keyword; None takes one away.
    """

    stored: Any = field(
        default_factory=lambda: np.random.default_rng(3).integers(0, 4000, (8, 10, 12))
    )
    orientation: Sequence[float] = AXIAL
    spacing: tuple[float, float, float] = (0.4, 0.5, 0.6)
    origin: tuple[float, float, float] = (-31.5, 17.25, 102.5)
    series: str = "1.2.3.4"
    kind: str = CT
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def normal(self) -> Any:
        return np.cross(self.orientation[:3], self.orientation[3:])

    @property
    def positions(self) -> list[Any]:
        """mm of each slice's first voxel."""
        return [np.array(self.origin) + k * self.spacing[2] * self.normal for k in self.slices]

    @property
    def slices(self) -> range:
        return range(len(self.stored))

    @property
    def larger(self) -> Known:
        """The same side by side: JPEG 2000's coder takes nothing below 32 voxels."""
        return replace(self, stored=np.tile(self.stored, (1, 4, 4)))

    def changed(self, **changes: Any) -> Known:
        return replace(self, changes={**self.changes, **changes})

    def volume(self, values: Any = None) -> Volume:
        """What a reader should give."""
        values = self.stored if values is None else np.asarray(values)
        axes = np.array([*np.reshape(self.orientation, (2, 3)), self.normal]).T
        size = values.shape[::-1]
        return Volume(values, Geometry(size, self.spacing, self.origin, tuple(axes.reshape(-1))))


def slices(known: Known, positions: Sequence[Any] | None = None) -> list[Dataset]:
    """One object a slice, as scanners wrote them before multi-frame objects."""
    positions = known.positions if positions is None else positions
    return [_slice(known, k, place) for k, place in zip(known.slices, positions, strict=True)]


def _slice(known: Known, k: int, position: Any) -> Dataset:
    ds = _begun(known, known.stored[k], f"{known.series}.{k + 1}")
    ds.InstanceNumber = k + 1
    ds.ImagePositionPatient = [f"{x:.8g}" for x in position]
    ds.ImageOrientationPatient = [f"{x:.8f}" for x in known.orientation]
    ds.PixelSpacing = [known.spacing[1], known.spacing[0]]
    ds.SliceThickness = known.spacing[2]
    return _changed(ds, known.changes)


def many_frames(known: Known, *, groups: bool = True, order: Sequence[int] = ()) -> Dataset:
    """One object of many frames; with ``groups``, its geometry is in the functional groups."""
    order = order or known.slices
    ds = _begun(known, known.stored[list(order)], f"{known.series}.1")
    ds.NumberOfFrames = len(order)
    if not groups:
        ds.ImagePositionPatient = [f"{x:.8g}" for x in known.origin]
        ds.ImageOrientationPatient = [f"{x:.8f}" for x in known.orientation]
        ds.PixelSpacing = [known.spacing[1], known.spacing[0]]
        return _changed(ds, known.changes)
    shared = Dataset()
    shared.PlaneOrientationSequence = one(
        ImageOrientationPatient=[f"{x:.8f}" for x in known.orientation]
    )
    shared.PixelMeasuresSequence = one(PixelSpacing=[known.spacing[1], known.spacing[0]])
    ds.SharedFunctionalGroupsSequence = Items([shared])
    frames = []
    for k in order:
        frame = Dataset()
        frame.PlanePositionSequence = one(
            ImagePositionPatient=[f"{x:.8g}" for x in known.positions[k]]
        )
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = Items(frames)
    return _changed(ds, known.changes)


def one(**elements: Any) -> Items:
    """A sequence of one item."""
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return Items([item])


def _begun(known: Known, stored: Any, instance: str) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = known.kind, instance
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", known.series
    ds.Modality, ds.SeriesNumber, ds.SeriesDescription = "CT", 5, "3DRA native"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = "Houdart^Anna", "4711-0815", "19650312"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Rows, ds.Columns = stored.shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    kind = stored.dtype.str if stored.dtype.kind == "u" else "<u2"
    ds.PixelData = np.ascontiguousarray(stored).astype(kind).tobytes()
    return ds


def _changed(ds: Dataset, changes: dict[str, Any]) -> Dataset:
    for keyword, value in changes.items():
        if value is None:
            del ds[keyword]
        else:
            setattr(ds, keyword, value)
    return ds


def bits(known: Known, allocated: int, stored: int, high: int = 0, signed: bool = False) -> Known:
    """The same values in other bits; what lies around them is junk."""
    high = high or stored - 1
    words = (known.stored.astype(np.int64) & (2**stored - 1)) << (high + 1 - stored)
    if allocated > stored:
        junk = np.random.default_rng(1).integers(0, 2**allocated, words.shape)
        words |= junk & ~((2**stored - 1) << (high + 1 - stored)) & (2**allocated - 1)
    pixels = words.astype(f"<u{allocated // 8}")
    return replace(known, stored=pixels).changed(
        BitsAllocated=allocated, BitsStored=stored, HighBit=high, PixelRepresentation=int(signed)
    )


def save(
    folder: Path,
    objects: Iterable[Dataset],
    *,
    syntax: str = ExplicitVRLittleEndian,
    name: str = "IM{:03d}",
    behind: bytes = b"",
) -> None:
    """Write objects, each to a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, ds in enumerate(objects):
        (folder / name.format(number)).write_bytes(written(ds, syntax) + behind)


def written(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """An object as a file's bytes."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID") or "2.25.1"
    if syntax == "1.2.840.10008.1.2.2" and "PixelData" in ds and ds.BitsAllocated > 8:
        size = ds.BitsAllocated // 8
        ds.PixelData = np.frombuffer(ds.PixelData, f"<u{size}").astype(f">u{size}").tobytes()
    if "PixelData" in ds:
        ds["PixelData"].VR = "OW" if ds.BitsAllocated > 8 else "OB"
    if syntax in (RLELossless, JPEGLSLossless, JPEG_2000):
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.compress(syntax, generate_instance_uid=False)
    elif syntax in (JPEGLossless, JPEGLosslessSV1):
        _code(ds, predictor=1 if syntax == JPEGLosslessSV1 else 7)
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _code(ds: Dataset, predictor: int) -> None:
    """Compress as JPEG lossless, process 14."""
    kind = f"<u{ds.BitsAllocated // 8}"
    shape = (int(ds.get("NumberOfFrames", 1)), ds.Rows, ds.Columns)
    planes = np.frombuffer(ds.PixelData, kind).reshape(shape)
    ds.PixelData = encapsulate([jpeg_lossless(plane, predictor) for plane in planes])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True


def jpeg_lossless(plane: Any, predictor: int) -> bytes:
    """One frame of 8 or 16 bits (ISO 10918-1, annex H), with a code of 5 bits a category."""
    precision = 8 * plane.dtype.itemsize
    x = np.pad(plane.astype(int), ((1, 0), (1, 0)))
    left, above, corner = x[1:, :-1], x[:-1, 1:], x[:-1, :-1]
    guess = {1: left, 4: left + above - corner, 7: (left + above) >> 1}[predictor].copy()
    guess[0], guess[:, 0] = left[0], above[:, 0]
    guess[0, 0] = 2 ** (precision - 1)
    bits = ""
    for off in ((plane - guess + 2**15 - 1) % 2**16 - 2**15 + 1).ravel().tolist():
        category = abs(off).bit_length()
        value = off if off > 0 else off + 2**category - 1
        bits += f"{category:05b}" + (f"{value:0{category}b}" if 0 < category < 16 else "")
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    rows, columns = plane.shape
    return (
        b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB3B", 11, precision, rows, columns, 1, 1, 17, 0)
        + b"\xff\xc4" + struct.pack(">HB16B", 36, 0, *(17 if n == 5 else 0 for n in range(1, 17)))
        + bytes(range(17)) + b"\xff\xda" + struct.pack(">HB5B", 8, 1, 1, 0, predictor, 0, 0)
        + data + b"\xff\xd9"
    )  # fmt: skip


def report(kind: str, **elements: Any) -> Dataset:
    """An object without an image."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = kind, f"1.2.9.{len(kind)}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", "1.2.3.9"
    ds.PatientName = "Houdart^Anna"
    return _changed(ds, elements)


@dataclass(frozen=True)
class Expected:
    """What a reader should make of a form: a volume, or a refusal with these words.

    Attributes:
        give: what it is given, below the form's folder.
        series: the number that is chosen.
    """

    volume: Volume | None = None
    refusal: str = ""
    give: str = "."
    series: int | None = None


Build = Callable[[Path], Expected]
"""Writes a form to a folder and says what should come of it."""


def gives(known: Known, values: Any = None, give: str = ".", series: int | None = None) -> Expected:
    return Expected(known.volume(values), "", give, series)


def refuses(words: str, give: str = ".", series: int | None = None) -> Expected:
    return Expected(None, words, give, series)


def check(read: Callable[..., Volume], build: Build, folder: Path) -> None:
    """Build a form and compare: at most 0.02 mm and 1 unit off, or the words of the refusal.

    Raises:
        AssertionError: something else came of it.
    """
    folder.mkdir(exist_ok=True)
    expected = build(folder)
    chosen = {} if expected.series is None else {"series": expected.series}
    try:
        volume = read(folder / expected.give, **chosen)
    except UserError as error:
        assert expected.volume is None, f"refused: {error}"
        assert expected.refusal in str(error), str(error)
        assert "Houdart" not in str(error) and "4711" not in str(error), str(error)
        return
    assert expected.volume is not None, "read, but had to be refused"
    assert volume.array.shape == expected.volume.array.shape, volume.array.shape
    _check_same_voxels(volume, expected.volume)


def _check_same_voxels(volume: Volume, expected: Volume) -> None:
    """Whether each voxel is where it was and what it was, whichever way the slices run."""
    shape = expected.array.shape
    corners = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    corners *= np.array(shape[::-1]) - 1
    places = expected.geometry.index_to_world(corners)
    indices = volume.geometry.world_to_index(places)
    off = np.abs((indices - np.round(indices)) * volume.geometry.spacing).max()
    assert off <= 0.02, f"{off} mm off"
    found = np.round(indices).astype(int)
    for (i, j, k), (x, y, z) in zip(corners, found, strict=True):
        assert min(x, y, z) >= 0 and (z, y, x) < shape and y < shape[1] and x < shape[2]
        difference = float(volume.array[z, y, x]) - float(expected.array[k, j, i])
        assert abs(difference) <= 1, f"{difference} off at {(i, j, k)}"
    turned = found[0, 2] != 0
    array = volume.array[::-1] if turned else volume.array
    difference = np.abs(array.astype(float) - expected.array.astype(float)).max()
    assert difference <= 1, f"{difference} off"


def names_told(text: str, names: Iterable[str]) -> list[str]:
    """Which of these a text has.

    Numbers count where a number begins: hashes, pictures and measurements hold any digits.
    """
    return [
        name
        for name in names
        if re.search(r"(?<![\w.+/])" * name[0].isdigit() + re.escape(name), text)
    ]
