"""DICOM files that carry a patient's marker in every text they have, and in their names."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from gsema_core.files import read_volume
from gsema_core.grids import Volume

sys.path.insert(0, str(Path(__file__).parents[1] / "files" / "dicom"))
import forms

sys.path.pop(0)

WORD, NUMBER, DATE = "Zyxmarker", "86421975", "19470213"
"""A name, a number in identifiers, and a day of birth: none may be in any output."""

_TEXTS = {"PN", "LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE"}
_READ = {
    "SOPClassUID", "TransferSyntaxUID", "Rows", "Columns", "SeriesInstanceUID", "SOPInstanceUID",
    "RescaleType", "PixelSpacingCalibrationDescription", "SpecificCharacterSet",
}  # fmt: skip
"""Elements that must stay what they are for the file to be read; RescaleType is set apart."""


def marked(ds: Dataset, everything: bool = True) -> Dataset:
    """The object with the markers in its texts, dates, identifiers, private tags and sequences."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _marked(ds, everything)


def _marked(ds: Dataset, everything: bool) -> Dataset:
    uid = f"1.2.826.0.1.{NUMBER}"
    ds.SeriesInstanceUID = f"{uid}.{ds.SeriesInstanceUID}"
    ds.SOPInstanceUID = f"{uid}.{ds.SOPInstanceUID}"
    ds.StudyInstanceUID = ds.FrameOfReferenceUID = f"{uid}.7"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = f"{WORD}^Anna", NUMBER, DATE
    ds.SeriesDescription, ds.ImageType = f"3DRA {WORD} {NUMBER}", ["ORIGINAL", "PRIMARY", WORD]
    ds.StationName, ds.RescaleType = WORD, WORD
    if everything:
        _mark_texts(ds)
    private = ds.private_block(0x0029, f"{WORD} 1.0", create=True)
    private.add_new(1, "LO", WORD)
    private.add_new(2, "UN", WORD.encode())
    private.add_new(3, "SQ", Sequence([_inner()]))
    ds.RequestAttributesSequence = Sequence([_inner()])
    ds.OtherPatientIDsSequence = Sequence([_inner()])
    return ds


def _mark_texts(ds: Dataset) -> None:
    for tag, (kind, count, _, retired, _) in DicomDictionary.items():
        keyword = keyword_for_tag(tag)
        known = keyword in _READ or keyword in ds or tag >> 16 in (0, 2)
        if kind in _TEXTS and count == "1" and not retired and not known:
            ds.add(DataElement(tag, kind, WORD))
        elif kind == "DA" and not known and not retired:
            ds.add(DataElement(tag, kind, DATE))


def _inner() -> Dataset:
    item = Dataset()
    item.PatientName, item.PatientID, item.AccessionNumber = WORD, NUMBER, NUMBER
    item.RequestedProcedureDescription, item.PatientComments = WORD, f"{WORD} {DATE}"
    item.ReferencedStudySequence = forms.one(ReferencedSOPInstanceUID=f"1.2.{NUMBER}")
    return item


def slices_of(scan: Volume, series: str, number: int = 5) -> list[Dataset]:
    """A scan as objects, one a slice, the first and the last with every text."""
    axes, grid = scan.geometry.direction_matrix, scan.geometry
    low, high = float(scan.array.min()), float(scan.array.max())
    stored = ((scan.array - low) / (high - low) * 4000).astype(np.uint16)
    origin = grid.origin
    if np.linalg.det(axes) < 0:
        stored, axes = stored[::-1], axes * [1, 1, -1]
        origin = tuple(grid.index_to_world((0, 0, len(stored) - 1)))
    known = forms.Known(stored, tuple(axes[:, :2].T.reshape(-1)), grid.spacing, origin, series)
    known = known.changed(SeriesNumber=number)
    objects = forms.slices(known)
    return [marked(ds, ds is objects[0] or ds is objects[-1]) for ds in objects]


def save(folder: Path, objects: Iterable[Dataset]) -> Path:
    """Write objects under names with the marker."""
    forms.save(folder, objects, name=f"{WORD}_{NUMBER}_{{:03d}}.dcm")
    return folder


def studies(place: Path, scan_file: Path) -> Path:
    """A folder of studies in folders with the marker: good, damaged and useless in several ways."""
    scan = read_volume(scan_file)
    name = f"{WORD}_ANNA_{NUMBER}_{DATE}"
    good = save(place / f"{name}_good" / f"{WORD} study", slices_of(scan, "3.1"))
    (good / f"{WORD}.txt").write_text(WORD)
    (good / f"{WORD} spoilt.dcm").write_bytes(bytes(128) + b"DICM" + WORD.encode() * 9)
    save(place / f"{name}_gap", slices_of(scan, "3.2")[::2][:7] + slices_of(scan, "3.2")[30:40])
    several = place / f"{name}_several"
    save(several / f"{WORD} a", slices_of(scan, "3.3", 3))
    save(several / f"{WORD} b", slices_of(scan, "3.4", 4))
    cut = save(place / f"{name}_cut", slices_of(scan, "3.5"))
    for file in list(cut.iterdir())[5:9]:
        file.write_bytes(file.read_bytes()[:-500])
    report = marked(forms.report("1.2.840.10008.5.1.4.1.1.88.11"))
    save(place / f"{name}_report", [report])
    odd = slices_of(scan, "3.6")
    for ds in odd:
        ds["SliceThickness"]._value = WORD
        ds.ImagePositionPatient = None
    save(place / f"{name}_odd", odd)
    flat = place / f"{name}_spoilt"
    flat.mkdir()
    (flat / f"{WORD}.dcm").write_bytes(bytes(128) + b"DICM" + f"{WORD} {NUMBER}".encode() * 20)
    return place


def found_in(data: Any) -> list[str]:
    """The markers that are in some bytes or text, however they are spelled."""
    content = data if isinstance(data, bytes) else str(data).encode("utf-8", "replace")
    content = content.lower()
    return [
        one
        for one in (WORD, NUMBER, DATE)
        if one.lower().encode() in content or one.lower().encode("utf-16-le") in content
    ]


def found_below(folder: Path) -> list[str]:
    """Files and folders whose name or content has a marker."""
    paths = sorted(folder.rglob("*"))
    names = [path.name for path in paths if found_in(path.name)]
    return names + [path.name for path in paths if path.is_file() and found_in(path.read_bytes())]
