"""Voxels in physical units: decoding, stored bits, rescaling. No value ever wraps around.

Uncompressed and RLE voxels are pydicom's work. For the JPEG family a frame is handed to GDCM
(SimpleITK) in a file of its own that says nothing but how it is coded, so that what comes back are
the stored values: GDCM's own rescaling knows neither frames nor sequences.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.filereader import data_element_generator
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_modality_lut
from pydicom.uid import UID, CTImageStorage, ExplicitVRBigEndian, RLELossless

from gsema_core.files.dicom.frames import Frame
from gsema_core.files.dicom.guard import check_coded_frame, guarded, pydicom_watched, read_header
from gsema_core.files.dicom.picture import NATIVE, Picture
from gsema_core.files.native_libraries import native_libraries
from gsema_core.files.voxel_data import DamagedFile

Plane = npt.NDArray[Any]
_WHOLE = (np.int16, np.uint16, np.int32)


def physical_values(frames: Sequence[Frame]) -> npt.NDArray[Any]:
    """The voxels (k, j, i) of a stack's frames.

    Whole numbers where all slopes and intercepts are whole, in the smallest type of 16 or 32 bits
    that holds them, else float32.

    Raises:
        DamagedFile: a file's voxels are missing, damaged or coded in a way that is not known; its
            arguments are the reason and the file's path.
        OSError: a file cannot be read.
    """
    first = frames[0].picture
    values = np.empty((len(frames), first.rows, first.columns), _kind(frames))
    places: dict[Picture, dict[int, tuple[int, Frame]]] = {}
    for place, frame in enumerate(frames):
        places.setdefault(frame.picture, {})[frame.index] = (place, frame)
    for picture, wanted in places.items():
        try:
            # Infinities are refused later.
            with pydicom_watched(), np.errstate(over="ignore"):
                for index, plane in _planes(picture, wanted):
                    place, frame = wanted[index]
                    values[place] = _rescaled(plane, frame)
        except DamagedFile as error:
            raise DamagedFile(str(error), picture.path) from error
    if values.dtype == np.int32:  # what could be there is more than what is
        low, high = int(values.min()), int(values.max())
        for kind in _WHOLE[:2]:
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                return values.astype(kind)
    return values


def _kind(frames: Sequence[Frame]) -> type[np.generic]:
    """A type that holds every value that the frames could have."""
    low, high = np.inf, -np.inf
    for frame in frames:
        picture = frame.picture
        whole = frame.slope % 1 == 0 and frame.intercept % 1 == 0
        if picture.is_float or not whole or "ModalityLUTSequence" in picture.header:
            return np.float32
        ends = [value * frame.slope + frame.intercept for value in _stored_range(picture)]
        low, high = min(low, *ends), max(high, *ends)
    for kind in _WHOLE:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return kind
    return np.float32


def _rescaled(plane: Plane, frame: Frame) -> Plane:
    """Stored values as physical ones (PS3.3, C.11.1).

    MONOCHROME1 says that low values are shown bright. Where they have no unit, what is shown is
    what counts, and they are turned round, as ITK does.
    """
    header = frame.picture.header
    plane = _padding_as_one_value(plane, frame.picture)
    if header.get("PhotometricInterpretation") == "MONOCHROME1" and not frame.has_unit:
        plane = sum(_stored_range(frame.picture)) - plane.astype(np.int64)
    if "ModalityLUTSequence" in header and not frame.has_unit:
        return np.asarray(apply_modality_lut(plane, header))
    if (frame.slope, frame.intercept) == (1, 0):
        return plane
    return plane.astype(np.float64) * frame.slope + frame.intercept


def _padding_as_one_value(plane: Plane, picture: Picture) -> Plane:
    """Of padding that is a range of values (PS3.3, C.7.5.1.1.2) the first, so that it is constant:
    what is constant and no image is found among the voxels themselves."""
    keywords = ("PixelPaddingValue", "PixelPaddingRangeLimit")
    ends = [picture.header.get(keyword) for keyword in keywords]
    # Files of implicit types do not say whether it has a sign: bytes.
    whole = [
        int.from_bytes(end, "little", signed=picture.signed) if isinstance(end, bytes) else end
        for end in ends
    ]
    if not all(isinstance(end, int) for end in whole):
        return plane
    padding = (plane >= min(whole)) & (plane <= max(whole))
    return np.where(padding, np.asarray(whole[0], np.int64), plane) if padding.any() else plane


def _stored_range(picture: Picture) -> tuple[int, int]:
    """The least and the largest value that the stored bits hold."""
    bits = picture.bits[1]
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if picture.signed else (0, 2**bits - 1)


def _planes(picture: Picture, wanted: Collection[int]) -> Iterator[tuple[int, Plane]]:
    """The frames that are wanted and their stored values (j, i)."""
    with guarded(picture.path, picture.voxel_bytes) as file:
        # Whatever follows the voxels, such as a trailer, is never looked at.
        little = bool(read_header(file, ["Rows"]).original_encoding[1])
        start = file.read(6)
        file.seek(-len(start), 1)
        # Some files are coded otherwise than they say. No even length looks like these letters.
        implicit = start[4:] not in (b"OB", b"OW", b"OF", b"OD", b"UN")
        element = next(data_element_generator(cast(BinaryIO, file), implicit, little))
        content = cast(bytes, element.value)
        if picture.syntax in NATIVE:
            swapped = element.VR == "OW" and not little
            for index in wanted:
                yield index, _native(content, index, picture, swapped)
        elif picture.syntax == RLELossless:
            for index, plane in enumerate(_run_lengths(content, picture)):
                if index in wanted:
                    yield index, _stored_bits(plane, picture)
        else:
            yield from _compressed(content, picture, wanted)


def _native(content: bytes, index: int, picture: Picture, swapped: bool) -> Plane:
    """A frame that is not compressed; ``swapped``: in words of the other byte order."""
    allocated = picture.bits[0]
    count, size = picture.rows * picture.columns, allocated // 8
    if len(content) < (index + 1) * count * size:
        raise DamagedFile(f"{len(content)} bytes of voxels instead of {picture.voxel_bytes}")
    order = "<" if picture.syntax != ExplicitVRBigEndian else ">"
    if swapped and size == 1:
        content = np.frombuffer(content[: len(content) // 2 * 2], "<u2").byteswap().tobytes()
    kind = np.dtype(f"{order}{'f' if picture.is_float else 'u'}{size}")
    plane = np.frombuffer(content, kind, count, index * count * size)
    plane = plane.reshape(picture.rows, picture.columns)
    return plane if picture.is_float else _stored_bits(plane, picture)


def _stored_bits(plane: Plane, picture: Picture) -> Plane:
    """Of each word the bits that are stored (PS3.5, 8.1.1), with their sign."""
    allocated, stored, high = picture.bits
    if stored == allocated:
        return plane.view(plane.dtype.str.replace("u", "i")) if picture.signed else plane
    values = (plane.astype(np.int64) >> (high + 1 - stored)) & (2**stored - 1)
    if picture.signed:
        values -= (values >> (stored - 1)) << stored
    return np.asarray(values)


def _run_lengths(content: bytes, picture: Picture) -> Iterator[Plane]:
    planes = get_decoder(RLELossless).iter_array(
        content, raw=True, rows=picture.rows, columns=picture.columns, samples_per_pixel=1,
        number_of_frames=picture.count, photometric_interpretation="MONOCHROME2",
        bits_allocated=picture.bits[0], bits_stored=picture.bits[0], pixel_representation=0,
        pixel_keyword="PixelData", decoding_plugin="pydicom",  # others end Python on damage
    )  # fmt: skip
    return (plane for plane, _ in planes)


def _compressed(
    content: bytes, picture: Picture, wanted: Collection[int]
) -> Iterator[tuple[int, Plane]]:
    """Frames of the JPEG family, each through a file that holds nothing else."""
    bare = Dataset()
    bare.file_meta = FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = UID(picture.syntax)
    bare.SOPClassUID, bare.SOPInstanceUID = CTImageStorage, UID("2.25.1")
    bare.Rows, bare.Columns, bare.SamplesPerPixel = picture.rows, picture.columns, 1
    bare.BitsAllocated, bare.BitsStored, bare.HighBit = picture.bits
    bare.PixelRepresentation = int(picture.signed)
    bare.PhotometricInterpretation = "MONOCHROME2"
    with tempfile.TemporaryDirectory(prefix="gsema-") as folder:
        path = Path(folder, "frame.dcm")
        for index, coded in enumerate(generate_frames(content, number_of_frames=picture.count)):
            if index not in wanted:
                continue
            check_coded_frame(coded, picture.rows, picture.columns, picture.bits[0])
            bare.PixelData = encapsulate([coded])
            bare["PixelData"].VR = "OB"
            bare.save_as(path, enforce_file_format=True)
            yield index, _by_gdcm(path)


def _by_gdcm(path: Path) -> Plane:
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        with native_libraries():
            return np.asarray(sitk.GetArrayFromImage(reader.Execute())[0])
    except RuntimeError as error:
        raise DamagedFile("voxels compressed in an unknown way, or damaged") from error
