"""SNOMED CT codes of the segments, for Slicer and everything that reads its files.

Standard library only: the Slicer modules import this too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gsema_core.labels import ANEURYSM, COLORS, VESSEL

CONTEXT_NAME = "Segmentation category and type - Cerebral aneurysms"
"""The name of our terminology in Slicer, whose own list lacks the cerebral aneurysm."""

REGION_CONTEXT_NAME = "Anatomic codes - DICOM master list"
"""Slicer's own list of anatomic regions."""


@dataclass(frozen=True)
class Code:
    """A coded term: coding scheme, value and meaning, as DICOM has them."""

    value: str
    meaning: str
    scheme: str = "SCT"


@dataclass(frozen=True)
class Term:
    """What a segment is, and where in the body."""

    category: Code
    type: Code
    region: Code | None = None


TERMS = {
    VESSEL: Term(
        category=Code("123037004", "Anatomical Structure"),
        type=Code("59820001", "Blood vessel"),
    ),
    ANEURYSM: Term(
        category=Code("49755003", "Morphologically Altered Structure"),
        type=Code("128059003", "Cerebral aneurysm"),
        region=Code("12738006", "Brain"),
    ),
}


def terminology_entry(label: int) -> str:
    """The value of a segment's ``TerminologyEntry`` tag in Slicer, for a label value.

    Seven parts between tildes: context, category, type, type's modifier, region's context,
    region, region's modifier; a code is ``scheme^value^meaning``.
    """
    term = TERMS[label]
    parts = [CONTEXT_NAME, _serialized(term.category), _serialized(term.type), _serialized(None)]
    parts += [REGION_CONTEXT_NAME, _serialized(term.region), _serialized(None)]
    return "~".join(parts)


def terminology_context() -> dict[str, Any]:
    """The content of the JSON file from which Slicer loads our terminology."""
    categories = []
    for label, term in TERMS.items():
        color = [round(255 * channel) for channel in COLORS[label]]
        term_type = {"recommendedDisplayRGBValue": color, **_described(term.type)}
        categories.append({**_described(term.category), "showAnatomy": "true", "Type": [term_type]})
    return {
        "SegmentationCategoryTypeContextName": CONTEXT_NAME,
        "@schema": "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc/"
        "segment-context-schema.json#",
        "SegmentationCodes": {"Category": categories},
    }


def _serialized(code: Code | None) -> str:
    return f"{code.scheme}^{code.value}^{code.meaning}" if code else "^^"


def _described(code: Code) -> dict[str, str]:
    return {
        "CodeMeaning": code.meaning,
        "CodingSchemeDesignator": code.scheme,
        "CodeValue": code.value,
    }
