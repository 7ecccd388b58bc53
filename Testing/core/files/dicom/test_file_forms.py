"""Files that are written oddly, but can be read, and files that are damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import forms
import pytest
from forms import (
    Expected,
    Known,
    gives,
    many_frames,
    refuses,
    save,
    slices,
    written,
)
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from gsema_core.files import read_volume

KNOWN = Known()
FORMS: dict[str, forms.Build] = {}


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


def saying(syntax: str) -> Callable[[bytes], bytes]:
    """Name another coding than the elements have."""

    def change(content: bytes) -> bytes:
        named = element_of_syntax(syntax)
        return (
            content[:132] + b"\2\0\0\0UL\4\0" + len(named).to_bytes(4, "little") + named
            + no_meta(content)
        )  # fmt: skip

    return change


def element_of_syntax(syntax: str) -> bytes:
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    return b"\2\0\x10\0UI" + len(value).to_bytes(2, "little") + value


FORMS |= {
    "explicit, said to be implicit": partial(
        rewritten, change=saying(ImplicitVRLittleEndian), syntax=ExplicitVRLittleEndian
    ),
    "implicit, said to be explicit": partial(
        rewritten, change=saying(ExplicitVRLittleEndian), syntax=ImplicitVRLittleEndian
    ),
}


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
}


@pytest.mark.parametrize("build", FORMS.values(), ids=FORMS.keys())
def test_form(tmp_path: Path, build: forms.Build) -> None:
    forms.check(read_volume, build, tmp_path / "form")
