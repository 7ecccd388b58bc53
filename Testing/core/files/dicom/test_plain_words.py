from __future__ import annotations

import pytest

from gsema_core.files.dicom.plain_words import plain_words, short_hash


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("3DRA native", "3DRA native"),
        ("XperCT Dual 5S, 0.25 mm", "XperCT … 5S, 0.25 mm"),
        ("Houdart^Anna 1965-03-12", "… …  …"),
        ("19650312", "…"),
        ("HOUDART_ANNA", "…_…"),
        ("1.2.840.113619.2.55", "…"),
        ("Müller ICA L", "… ICA L"),
        ("a\x1b[31m\nb", "a [31m b"),
        ("IM000123.dcm", "IM000123.dcm"),
        ("run of 1965", "run of …"),
        ("5" * 5000, "…"),
        ("", ""),
    ],
)
def test_only_words_of_radiology_are_shown(text: str, shown: str) -> None:
    assert plain_words(text).split() == shown.split()


def test_a_hash_stands_for_an_identifier() -> None:
    assert len(short_hash("1.2.840.113619")) == 12
    assert short_hash("1.2.3") != short_hash("1.2.4")
    assert "1.2" not in short_hash("1.2.3")
