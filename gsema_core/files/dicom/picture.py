"""One DICOM file with an image: what its header says, apart from where its frames lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from gsema_core.files.dicom.elements import integer_of, text_of, values_of
from gsema_core.files.dicom.guard import GuardedFile, check_voxel_bytes, guarded, read_header
from gsema_core.files.image_files import MAXIMUM_VOXELS
from gsema_core.files.voxel_data import DamagedFile

MAXIMUM_FRAMES = 20_000
"""Of one file. Our choice."""

NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
"""Transfer syntaxes whose voxels are not compressed."""

PROJECTIONS = ("1.2.840.10008.5.1.4.1.1.12.1.1", "1.2.840.10008.5.1.4.1.1.12.2.1")
"""Enhanced X-ray angiography and radiofluoroscopy: the run that a 3D volume is made from."""
MAYBE_PROJECTIONS = ("1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2")
"""Their older kinds, in which some vendors store the slices of volumes as well."""
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
FLAT_KINDS = {"MIP", "MINIP", "LOCALIZER", "PROJECTION IMAGE", "VOLUME RENDERED"}
"""Words of Image Type (0008,0008) for pictures that look through the body."""

READ = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber",
    "SeriesDescription", "ImageType", "AcquisitionNumber", "InstanceNumber",
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel",
    "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelSpacing", "ImagerPixelSpacing", "ImagePositionPatient", "ImageOrientationPatient",
    "SliceThickness", "SpacingBetweenSlices", "GridFrameOffsetVector", "PositionerPrimaryAngle",
    "RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence",
    "PixelPaddingValue", "PixelPaddingRangeLimit",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "XRay3DReconstructionSequence", "PixelValueTransformationSequence",
)  # fmt: skip
"""What is read of a header; no name, date or number of a patient is among it."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One DICOM file with an image of one or many frames.

    Attributes:
        series, instance, kind: unique identifiers; never shown.
        number: of the series, as the scanner counted; 0 where it says none.
        acquisition, order: acquisition and instance number, or 0.
        count: frames.
        bits: allocated and stored, and the highest one.
        is_float, signed: kind of the stored numbers.
        problem: why its frames can be no part of a volume; empty where nothing is known.
        header: what was read of it.
    """

    path: Path
    series: str
    instance: str
    kind: str
    description: str
    image_type: tuple[str, ...]
    number: int
    acquisition: int
    order: int
    rows: int
    columns: int
    count: int
    bits: tuple[int, int, int]
    is_float: bool
    signed: bool
    problem: str
    header: Dataset = field(repr=False)

    @property
    def syntax(self) -> str:
        """How the voxels are coded."""
        return transfer_syntax(self.header)

    @property
    def voxel_bytes(self) -> int:
        return self.rows * self.columns * self.count * self.bits[0] // 8


def read_picture(path: Path) -> Picture | None:
    """Read a file's header; None for what has no image, such as a report or a DICOMDIR.

    Raises:
        DamagedFile: the header contradicts itself or the file's length.
        OSError: the file cannot be read.
    """
    with guarded(path) as file:
        header = read_header(file, READ)
        rows, columns = integer_of(header, "Rows"), integer_of(header, "Columns")
        if not (rows > 0 and columns > 0):
            if file.is_short:
                raise DamagedFile("an element that reaches beyond its end")
            return None
        count = max(1, integer_of(header, "NumberOfFrames", 1))
        voxels = rows * columns * count
        if count > MAXIMUM_FRAMES or voxels > MAXIMUM_VOXELS:
            raise DamagedFile(f"{count} frames of {columns} x {rows} voxels")
        bits = (
            voxels * integer_of(header, "SamplesPerPixel", 1) * integer_of(header, "BitsAllocated")
        )
        compressed = transfer_syntax(header) not in NATIVE
        is_float = _float_follows(file)
        check_voxel_bytes(file.rest, bits, compressed=compressed)
        return Picture(
            path,
            series=text_of(header, "SeriesInstanceUID"),
            instance=text_of(header, "SOPInstanceUID"),
            kind=text_of(header, "SOPClassUID"),
            description=text_of(header, "SeriesDescription"),
            image_type=tuple(map(str, values_of(header, "ImageType"))),
            number=integer_of(header, "SeriesNumber"),
            acquisition=integer_of(header, "AcquisitionNumber"),
            order=integer_of(header, "InstanceNumber"),
            rows=rows,
            columns=columns,
            count=count,
            bits=_bits(header),
            is_float=is_float,
            signed=integer_of(header, "PixelRepresentation") == 1,
            problem=_problem(header, count),
            header=header,
        )


def series_of_damaged(path: Path) -> str:
    """The series that a damaged file is of, where its beginning still tells; else nothing."""
    from pydicom.filereader import read_partial

    try:
        with guarded(path) as file:
            start = read_partial(cast(BinaryIO, file), lambda tag, *_: tag > 0x0020000E, force=True)
            return text_of(start, "SeriesInstanceUID")
    except (DamagedFile, OSError):
        return ""


def transfer_syntax(header: Dataset) -> str:
    """How the voxels are coded; that of the elements where the file does not say."""
    named = str(header.file_meta.get("TransferSyntaxUID", "")).strip(" \0")
    if named:
        return named
    implicit, little = header.original_encoding
    return str(NATIVE[0] if implicit else NATIVE[1] if little else NATIVE[2])


def _bits(header: Dataset) -> tuple[int, int, int]:
    """Bits allocated and stored, and the highest one."""
    allocated = integer_of(header, "BitsAllocated")
    stored = integer_of(header, "BitsStored", allocated)
    high = integer_of(header, "HighBit", stored - 1)
    if allocated not in (1, 8, 16, 32, 64) or not 0 < stored <= high + 1 <= allocated:
        raise DamagedFile(f"{stored} bits of {allocated}, up to bit {high}")
    return allocated, stored, high


def _float_follows(file: GuardedFile) -> bool:
    """Whether the voxels, which come next, are numbers with a point."""
    tag = file.read(4)
    if len(tag) < 4:
        raise DamagedFile("no voxels")
    return tag[2:] in (b"\x08\0", b"\x09\0", b"\0\x08", b"\0\x09")


def _problem(header: Dataset, count: int) -> str:
    kind, image_type = text_of(header, "SOPClassUID"), set(map(str, values_of(header, "ImageType")))
    if integer_of(header, "SamplesPerPixel", 1) != 1:
        return "color images"
    if text_of(header, "PhotometricInterpretation") == "PALETTE COLOR":
        return "color images"
    if kind in SEGMENTATIONS or integer_of(header, "BitsAllocated") < 8:
        return "a segmentation"
    run = kind in MAYBE_PROJECTIONS and (count > 1 or "PositionerPrimaryAngle" in header)
    if kind in PROJECTIONS or run or image_type & FLAT_KINDS:
        return "projection images"
    return ""
