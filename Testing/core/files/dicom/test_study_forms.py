"""Studies as they leave the archive: other series, other objects, other files, damage."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

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
    written,
)
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

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


def rewritten(folder: Path, change: Callable[[bytes], bytes], syntax: str) -> Expected:
    """Every file, changed in a way that other programs understand."""
    folder.mkdir(exist_ok=True)
    for k, ds in enumerate(slices(KNOWN)):
        (folder / f"IM{k}").write_bytes(change(written(ds, syntax)))
    return gives(KNOWN)


def no_preamble(content: bytes) -> bytes:
    return content[132:]


def no_meta(content: bytes) -> bytes:
    return content[144 + int.from_bytes(content[140:144], "little") :]


def inserted(element: bytes) -> Callable[[bytes], bytes]:
    """Put an element of group 9 before that of the patient's name."""

    def change(content: bytes) -> bytes:
        at = content.index(b"\x10\0\x10\0PN")
        return content[:at] + element + content[at:]

    return change


ITEM, ITEM_END, END = (
    b"\xfe\xff\0\xe0",
    b"\xfe\xff\x0d\xe0" + bytes(4),
    b"\xfe\xff\xdd\xe0" + bytes(4),
)
UNDEFINED = b"\xff" * 4
IN_UNKNOWN = b"\x09\0\x02\x10\4\0\0\0junk"
REWRITTEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "no preamble": (no_preamble, ExplicitVRLittleEndian),
    "no preamble, implicit": (no_preamble, ImplicitVRLittleEndian),
    "no group 2": (no_meta, ExplicitVRLittleEndian),
    "no group 2, implicit": (no_meta, ImplicitVRLittleEndian),
    "zeros behind": (lambda content: content + bytes(100), ExplicitVRLittleEndian),
    "text behind": (lambda content: content + b"-- sent by the archive --", ExplicitVRLittleEndian),
    "one byte behind": (lambda content: content + b"\0", ExplicitVRLittleEndian),
    "zeros behind run lengths": (lambda content: content + bytes(100), RLELossless),
    "private junk": (inserted(b"\x09\0\x01\x10UN\0\0\x08\0\0\0\xff\0\xff\0junk"),
                     ExplicitVRLittleEndian),
    "private junk of an odd length": (inserted(b"\x09\0\x01\x10LO\3\0abc"), ExplicitVRLittleEndian),
    "an unknown kind": (inserted(b"\x09\0\x01\x10ZZ\4\0abcd"), ExplicitVRLittleEndian),
    "an unknown element of undefined length": (
        inserted(b"\x09\0\x01\x10UN\0\0" + UNDEFINED + ITEM + b"\x0c\0\0\0" + IN_UNKNOWN + END),
        ExplicitVRLittleEndian,
    ),
    "a sequence of undefined length": (
        inserted(b"\x09\0\x01\x10SQ\0\0" + UNDEFINED + ITEM + UNDEFINED
                 + b"\x09\0\x02\x10LO\4\0junk" + ITEM_END + END),
        ExplicitVRLittleEndian,
    ),
    "a group's length": (inserted(b"\x09\0\0\0UL\4\0\0\0\0\0"), ExplicitVRLittleEndian),
}  # fmt: skip
for title, (change, syntax) in REWRITTEN.items():
    FORMS[title] = partial(rewritten, change=change, syntax=syntax)
FORMS["no preamble, a file"] = lambda folder: replace(
    rewritten(folder, no_preamble, ExplicitVRLittleEndian), give="IM3"
)


def undefined_groups(folder: Path) -> Expected:
    """Functional groups in sequences of undefined length."""
    ds = many_frames(replace(KNOWN, kind=forms.ENHANCED_CT))
    for element in ds.iterall():
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
    save(folder, [ds])
    return gives(KNOWN)


FORMS["functional groups of undefined length"] = undefined_groups


def damaged(
    folder: Path, change: Callable[[bytes], bytes], words: str, number: int = 3, **how: Any
) -> Expected:
    save(folder, slices(KNOWN.larger), **how)
    file = folder / f"IM{number:03d}"
    file.write_bytes(change(file.read_bytes()))
    return refuses(words)


def reaching_out(content: bytes) -> bytes:
    """An element that is longer than the file, before the places."""
    return content.replace(b"\x10\0\x10\0PN\x0c\0", b"\x10\0\x10\0PN\xff\xff")


def of_another_size(content: bytes) -> bytes:
    return content.replace(b"\x10\0\x28\0\x30\1", b"\x10\x7f\xff\x7f\xff\1")


for number in (0, 3, 7):
    FORMS[f"slice {number} cut off"] = partial(
        damaged, change=lambda content: content[:-30], number=number,
        words=f"1 file could not be read (IM00{number}:",
    )  # fmt: skip
FORMS |= {
    "a slice without voxels": partial(
        damaged, change=lambda content: content[: content.index(b"\xe0\x7f\x10\0")],
        words="1 file could not be read (IM003: ",
    ),
    "a slice of half its header": partial(
        damaged, change=lambda content: content[:300], words="lacks 1 slice:",
    ),
    "a slice with an element that reaches out": partial(
        damaged, change=reaching_out, words="again; 1 file could not be read (IM003: ",
    ),
    "run lengths, cut off": partial(
        damaged, change=lambda content: content[:-60], words="IM003", syntax=RLELossless
    ),
    "JPEG 2000, cut off": partial(
        damaged, change=lambda content: content[:-60], words="IM003", syntax=forms.JPEG_2000
    ),
    "JPEG-LS, of another size": partial(
        damaged, change=of_another_size, words="compressed voxels of another size",
        syntax=forms.JPEGLSLossless,
    ),
}  # fmt: skip


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


def all_damaged(folder: Path) -> Expected:
    save(folder, slices(KNOWN))
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:-30])
    return refuses("has DICOM files, but 8 files could not be read (IM000, IM001, IM002")


def damaged_beside(folder: Path) -> Expected:
    save(folder, slices(KNOWN))
    save(folder / "other", slices(replace(KNOWN, series="1.2.3.8"))[:3])
    for file in (folder / "other").iterdir():
        file.write_bytes(file.read_bytes()[:-30])
    return gives(KNOWN)


FORMS |= {
    "all slices cut off": all_damaged,
    "another series cut off": damaged_beside,
    "several series and no volume": no_volume,
    "nothing": lambda folder: refuses("has no DICOM images: give the folder of a DICOM series"),
}


def test_how_many_forms_there_are() -> None:
    assert len(FORMS) > 60
    assert io.BytesIO(written(slices(KNOWN)[0])).read(132)[128:] == b"DICM"


@pytest.mark.parametrize("build", FORMS.values(), ids=FORMS.keys())
def test_form(tmp_path: Path, build: forms.Build) -> None:
    forms.check(read_volume, build, tmp_path / "form")
