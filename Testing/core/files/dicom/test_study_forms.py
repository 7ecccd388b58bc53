"""Studies as they leave the archive: other series, other objects, other files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import forms
import numpy as np
import pytest
from forms import (
    Dataset,
    Expected,
    Known,
    gives,
    many_frames,
    refuses,
    report,
    save,
    slices,
)

from gsema_core.files import read_volume

KNOWN = Known()
FORMS: dict[str, forms.Build] = {}

OTHER_FILES = {
    "VERSION": b"1.0\n",
    "DICOM/VERSION": b"",
    ".DS_Store": b"\0\0\0\1Bud1" + bytes(500),
    "._IM001": b"\0\5\x16\7\0\2\0\0Mac OS X" + bytes(500),
    "thumbs/IM001.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(300),
    "movie.mp4": b"\0\0\0\x18ftypmp42" + bytes(300),
    "README.TXT": b"exported by the archive",
    "AUTORUN.INF": b"[autorun]\r\nopen=viewer.exe",
    "viewer.exe": b"MZ" + bytes(400),
    "empty.dcm": b"",
    "index.html": b"<html>" + bytes(200),
}


def beside(folder: Path, name: str) -> Expected:
    save(folder, slices(KNOWN))
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(OTHER_FILES[name])
    return gives(KNOWN)


for name in OTHER_FILES:
    FORMS[f"{name} beside"] = partial(beside, name=name)

REPORTS = {
    "a report": ("1.2.840.10008.5.1.4.1.1.88.11", {"ValueType": "CONTAINER"}),
    "a dose report": ("1.2.840.10008.5.1.4.1.1.88.67", {"Modality": "SR"}),
    "a key object selection": ("1.2.840.10008.5.1.4.1.1.88.59", {"Modality": "KO"}),
    "a presentation state": ("1.2.840.10008.5.1.4.1.1.11.1", {"ContentLabel": "A"}),
    "a PDF": ("1.2.840.10008.5.1.4.1.1.104.1", {"EncapsulatedDocument": b"%PDF-1.4"}),
    "raw data": ("1.2.840.10008.5.1.4.1.1.66", {"Modality": "OT"}),
    "a DICOMDIR": ("1.2.840.10008.1.3.10", {"FileSetID": "STUDY"}),
}


def reported(folder: Path, name: str, *, series: str = "1.2.3.9", alone: bool = False) -> Expected:
    kind, elements = REPORTS[name]
    save(folder, [report(kind, SeriesInstanceUID=series, **elements)], name="other{}")
    if alone:
        return refuses("None of the DICOM files at")
    save(folder, slices(KNOWN))
    return gives(KNOWN)


for name in REPORTS:
    FORMS[f"{name} beside"] = partial(reported, name=name)
FORMS["a report in the same series"] = partial(reported, name="a report", series=KNOWN.series)
FORMS["a report alone"] = partial(reported, name="a report", alone=True)
FORMS["a DICOMDIR alone"] = partial(reported, name="a DICOMDIR", alone=True)


def mip_views() -> list[Dataset]:
    """A rotating view: each picture has axes of its own."""
    objects = []
    for k, ds in enumerate(slices(replace(KNOWN, kind=forms.SECONDARY))):
        angle = np.radians(10 * k)
        ds.ImageOrientationPatient = [np.cos(angle), np.sin(angle), 0, 0, 0, -1]
        objects.append(ds)
    return objects


def colored() -> list[Dataset]:
    objects = slices(KNOWN)
    for ds in objects:
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
        ds.PixelData = bytes(3 * ds.Rows * ds.Columns)
    return objects


def segmentation() -> list[Dataset]:
    known = replace(KNOWN, kind=forms.SEGMENTATION, stored=np.zeros((8, 8, 16), int))
    ds = many_frames(known)
    ds.Modality, ds.BitsAllocated, ds.BitsStored, ds.HighBit = "SEG", 1, 1, 0
    ds.PixelData = bytes(8 * 16)
    return [ds]


def run(kind: str) -> list[Dataset]:
    known = replace(KNOWN, kind=kind).changed(
        ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None,
        ImagerPixelSpacing=[0.15, 0.15], FrameTime=33,
    )  # fmt: skip
    return [many_frames(known, groups=False)]


def single_pictures() -> list[Dataset]:
    objects = slices(replace(KNOWN, kind=forms.SECONDARY))[:3]
    for ds in objects:
        del ds.ImagePositionPatient, ds.ImageOrientationPatient, ds.PixelSpacing
    return objects


def scouts() -> list[Dataset]:
    return slices(replace(KNOWN, stored=KNOWN.stored[:3], spacing=(0.4, 0.5, 20.0)))


OTHERS: dict[str, tuple[Callable[[], list[Dataset]], str]] = {
    "a rotating view": (mip_views, "different sizes or directions"),
    "color pictures": (colored, "color images"),
    "a segmentation": (segmentation, "a segmentation"),
    "a run, enhanced": (partial(run, forms.ENHANCED_XA), "projection images"),
    "a fluoroscopy": (partial(run, forms.ENHANCED_XRF), "projection images"),
    "a run": (partial(run, forms.XA), "projection images"),
    "a gray movie": (partial(run, forms.SECONDARY_WORDS), "where its slices lie"),
    "captured pictures": (single_pictures, "where its slices lie"),
    "scouts": (scouts, "voxel spacing of 20 mm"),
    "one picture": (lambda: slices(KNOWN)[:1], "has one slice only"),
}


def other(folder: Path, name: str, *, alone: bool = False) -> Expected:
    objects, words = OTHERS[name]
    made = objects()
    for ds in made:
        ds.SeriesInstanceUID, ds.SeriesNumber = "1.2.3.8", 1
        ds.SOPInstanceUID += ".8"
    save(folder / "other", made)
    if alone:
        return refuses(words)
    save(folder / "scan", slices(KNOWN))
    return gives(KNOWN)


for name in OTHERS:
    FORMS[f"{name} beside"] = partial(other, name=name)
    FORMS[f"{name} alone"] = partial(other, name=name, alone=True)


def few_slices_beside(folder: Path) -> Expected:
    save(folder / "few", slices(replace(KNOWN, series="1.2.3.8", stored=KNOWN.stored[:3])))
    save(folder / "scan", slices(KNOWN))
    return gives(KNOWN)


def scout_within(folder: Path) -> Expected:
    scout = slices(replace(KNOWN, orientation=(0, 1, 0, 0, 0, -1)))[0]
    scout.SOPInstanceUID += ".8"
    save(folder, [*slices(KNOWN), scout])
    return gives(KNOWN)


def larger_scout_within(folder: Path) -> Expected:
    scout = slices(replace(KNOWN, stored=np.ones((1, 30, 30), int)))[0]
    scout.SOPInstanceUID += ".8"
    save(folder, [*slices(KNOWN), scout])
    return gives(KNOWN)


def whole_study(folder: Path, give: str = ".") -> Expected:
    """Everything at once, in the folders of an export."""
    for number, name in enumerate(OTHERS):
        made = OTHERS[name][0]()
        for ds in made:
            ds.SeriesInstanceUID, ds.SeriesNumber = f"1.2.3.8.{number}", 20 + number
            ds.SOPInstanceUID += f".8.{number}"
        save(folder / f"PA0/ST0/SE{number}", made)
    for name in REPORTS:
        kind, elements = REPORTS[name]
        save(folder / "PA0/ST0/OT", [report(kind, **elements)], name=name)
    save(folder / "PA0/ST0/SE77", slices(KNOWN))
    return gives(KNOWN, give=give)


FORMS |= {
    "three slices beside": few_slices_beside,
    "a scout in the series": scout_within,
    "a larger scout in the series": larger_scout_within,
    "a whole study": whole_study,
    "a file of a whole study": partial(whole_study, give="PA0/ST0/SE77/IM002"),
}


def no_volume(folder: Path) -> Expected:
    """Several series, each of which is none for a reason of its own."""
    for number, name in enumerate(("color pictures", "a gray movie", "scouts", "one picture")):
        objects = OTHERS[name][0]()
        for ds in objects:
            ds.SeriesInstanceUID, ds.SeriesNumber = f"1.2.3.{number}", number + 1
        save(folder / str(number), objects[:1] if name == "scouts" else objects)
    return refuses(
        "do not make a 3D volume (1 (3DRA native): color images; 2 (3DRA native): does not say "
        "where its slices lie in the patient"
    )


FORMS |= {
    "several series and no volume": no_volume,
    "nothing": lambda folder: refuses("has no DICOM images: give the folder of a DICOM series"),
}


@pytest.mark.parametrize("build", FORMS.values(), ids=FORMS.keys())
def test_form(tmp_path: Path, build: forms.Build) -> None:
    forms.check(read_volume, build, tmp_path / "form")
