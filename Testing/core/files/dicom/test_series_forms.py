"""Single-frame series as scanners, archives and their exports lay them out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import forms
import numpy as np
import pytest
from forms import AXIAL, OBLIQUE, Expected, Known, gives, refuses, save, slices

from gsema_core.files import read_volume

KNOWN = Known()
FORMS: dict[str, forms.Build] = {}


def plain(folder: Path, known: Known) -> Expected:
    save(folder, slices(known))
    return gives(known)


for title, known in {
    "a CT": KNOWN,
    "a Philips CT": KNOWN.changed(Manufacturer="Philips Medical Systems", RescaleType="HU"),
    "a GE CT": KNOWN.changed(Manufacturer="GE MEDICAL SYSTEMS", SeriesDescription="3D INNOVA"),
    "a Siemens CT of modality XA": KNOWN.changed(Modality="XA", Manufacturer="SIEMENS"),
    "XA images with places": replace(KNOWN, kind=forms.XA).changed(Modality="XA"),
    "a class of nobody's": replace(KNOWN, kind="1.2.3.4.5"),
    "an MR": replace(KNOWN, kind=forms.MR).changed(Modality="MR"),
    "secondary captures with places": replace(KNOWN, kind=forms.SECONDARY),
    "oblique": replace(KNOWN, orientation=OBLIQUE),
    "sagittal": replace(KNOWN, orientation=(0, 1, 0, 0, 0, -1)),
    "coronal": replace(KNOWN, orientation=(1, 0, 0, 0, 0, -1)),
    "feet first": replace(KNOWN, orientation=(1, 0, 0, 0, -1, 0)),
    "thin slices": replace(KNOWN, spacing=(0.2, 0.2, 0.1)),
    "two slices": replace(KNOWN, stored=KNOWN.stored[:2]),
    "without thickness": KNOWN.changed(SliceThickness=None),
    "without instance numbers": KNOWN.changed(InstanceNumber=None),
    "one instance number for all": KNOWN.changed(InstanceNumber=1),
    "without a description": KNOWN.changed(SeriesDescription=None),
    "without a series number": KNOWN.changed(SeriesNumber=None),
    "without instance identifiers": KNOWN.changed(SOPInstanceUID=""),
    "one instance identifier for all": KNOWN.changed(SOPInstanceUID="1.2.3.4.1"),
    "without a modality": KNOWN.changed(Modality=None),
    "without samples a pixel": KNOWN.changed(SamplesPerPixel=None),
    "with an unknown alphabet": KNOWN.changed(SpecificCharacterSet="NONSENSE"),
    "with a preview": KNOWN.changed(
        IconImageSequence=forms.one(Rows=2, Columns=2, BitsAllocated=8, PixelData=bytes(4))
    ),
    "with the detector's spacing besides": KNOWN.changed(ImagerPixelSpacing=[0.154, 0.154]),
    "without a photometric interpretation": KNOWN.changed(PhotometricInterpretation=None),
}.items():
    FORMS[title] = partial(plain, known=known)


def varied(folder: Path, elements: dict[str, tuple[object, ...]]) -> Expected:
    """Slices that differ in what makes no volume of its own."""
    objects = slices(KNOWN)
    for k, ds in enumerate(objects):
        for keyword, values in elements.items():
            setattr(ds, keyword, values[k % len(values)])
    save(folder, objects)
    return gives(KNOWN)


for title, elements in {
    "slices of several thicknesses": {"SliceThickness": (0.6, 0.625, 0.5)},
    "slices of several sequences": {"SequenceName": ("a", "b")},
    "slices of several studies": {"StudyInstanceUID": ("1.2.3", "1.2.4")},
    "slices of several series numbers": {"SeriesNumber": (5, 6)},
    "slices of several descriptions": {"SeriesDescription": ("one", "two")},
    "an acquisition for each slice": {"AcquisitionNumber": tuple(range(1, 9))},
    "an acquisition for each half": {"AcquisitionNumber": (1, 1, 1, 1, 2, 2, 2, 2)},
    "numbers against the places": {"InstanceNumber": tuple(range(8, 0, -1))},
    "numbers in no order": {"InstanceNumber": (3, 8, 1, 6, 2, 7, 5, 4)},
}.items():
    FORMS[title] = partial(varied, elements=elements)


def moved(folder: Path, decimals: int, known: Known) -> Expected:
    save(folder, slices(known, [np.round(place, decimals) for place in known.positions]))
    return gives(known)


for decimals in (2, 3, 4):
    for title, orientation in (("axial", AXIAL), ("oblique", OBLIQUE)):
        known = replace(KNOWN, orientation=orientation, origin=(-31.537, 17.2519, 102.5114))
        FORMS[f"{title} places of {decimals} decimals"] = partial(
            moved, decimals=decimals, known=known
        )
for decimals in (3, 4, 6):
    rounded = [f"{x:.{decimals}f}" for x in OBLIQUE]
    FORMS[f"axes of {decimals} decimals"] = partial(
        plain, known=replace(KNOWN, orientation=OBLIQUE).changed(ImageOrientationPatient=rounded)
    )


def named(folder: Path, name: str) -> Expected:
    save(folder, slices(KNOWN)[::-1], name=name)
    return gives(KNOWN)


for name in ("{:03d}.dcm", "image {}.IMA", "scan{}.nii", "{}", "I.{}.txt", ".{}"):
    FORMS[f"files named {name}, from behind"] = partial(named, name=name)


def shuffled(folder: Path) -> Expected:
    objects = slices(KNOWN)
    save(folder, [objects[k] for k in (4, 1, 7, 0, 3, 6, 2, 5)])
    return gives(KNOWN)


def over_folders(folder: Path, give: str = ".") -> Expected:
    for number, ds in enumerate(slices(KNOWN)):
        save(folder / f"PA0/SE{number // 3}", [ds], name=f"IM{number}")
    return gives(KNOWN, give=give)


def deep(folder: Path) -> Expected:
    save(folder / "a/b/c/d/e/f/g/h", slices(KNOWN))
    return gives(KNOWN)


def copied(folder: Path, where: str) -> Expected:
    save(folder / "scan", slices(KNOWN))
    (folder / where).mkdir(exist_ok=True)
    for file in (folder / "scan").glob("IM*"):
        shutil.copy(file, folder / where / f"copy-{file.name}")
    return gives(KNOWN)


def two_series(folder: Path, give: str = ".", series: int | None = None) -> Expected:
    other = replace(KNOWN, series="1.2.3.5", stored=KNOWN.stored[::-1]).changed(
        SeriesNumber=7, SeriesDescription="3DRA subtracted"
    )
    save(folder, slices(KNOWN), name="native{}")
    save(folder, slices(other), name="other{}")
    if give == "." and series is None:
        return refuses("has 2 DICOM volumes (5 (3DRA native); 7 (3DRA subtracted)): choose one")
    if series == 6:
        return refuses("has no series 6: choose one of 5, 7", series=6)
    is_other = give.startswith("other") or series == 7
    return gives(other if is_other else KNOWN, give=give, series=series)


def one_number(folder: Path, series: int) -> Expected:
    """Two series whose scanner gave them one number."""
    save(folder / "a", slices(KNOWN))
    other = replace(KNOWN, series="1.2.3.5", stored=KNOWN.stored + 7)
    save(folder / "b", slices(other))
    return gives(KNOWN if series == 5 else other, series=series)


def two_sizes(folder: Path) -> Expected:
    """Two reconstructions under one identifier."""
    save(folder, slices(KNOWN), name="a{}")
    small = replace(KNOWN, stored=KNOWN.stored[:, :6, :6])
    save(folder, [_renamed(ds) for ds in slices(small)], name="b{}")
    return refuses("has 2 DICOM volumes")


def _renamed(ds: forms.Dataset) -> forms.Dataset:
    ds.SOPInstanceUID += ".9"
    return ds


FORMS |= {
    "files in no order": shuffled,
    "one series over several folders": over_folders,
    "one file of a series over several folders": partial(over_folders, give="PA0/SE1/IM4"),
    "eight folders deep": deep,
    "copies beside": partial(copied, where="scan"),
    "a backup folder": partial(copied, where="backup"),
    "two series": two_series,
    "two series, a file of one": partial(two_series, give="native3"),
    "two series, a file of the other": partial(two_series, give="other0"),
    "two series, the first chosen": partial(two_series, series=5),
    "two series, the second chosen": partial(two_series, series=7),
    "two series, a file of one, the other chosen": partial(two_series, give="native3", series=7),
    "two series, a third chosen": partial(two_series, series=6),
    "two series of one number, the first": partial(one_number, series=5),
    "two series of one number, the second": partial(one_number, series=6),
    "two sizes under one identifier": two_sizes,
}


@pytest.mark.parametrize("build", FORMS.values(), ids=FORMS.keys())
def test_form(tmp_path: Path, build: forms.Build) -> None:
    forms.check(read_volume, build, tmp_path / "form")
