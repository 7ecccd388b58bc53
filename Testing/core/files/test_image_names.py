from __future__ import annotations

import pytest

from gsema_core.files.image_names import SEGMENTATION_SUFFIX, SUFFIXES, image_stem


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("scan.nrrd", "scan"),
        ("Scan 1.NII.GZ", "Scan 1"),
        ("a.b.nii", "a.b"),
        ("a.seg.nrrd", "a.seg"),
        (".nii.gz", ""),
        ("scan.txt", None),
        ("nrrd", None),
    ],
)
def test_the_longest_suffix_goes(name: str, stem: str | None) -> None:
    assert image_stem(name) == stem


def test_other_suffixes_may_be_given() -> None:
    assert image_stem("a.seg.nrrd", (*SUFFIXES, SEGMENTATION_SUFFIX)) == "a"
    assert image_stem("a.nrrd", (".nii.gz",)) is None
