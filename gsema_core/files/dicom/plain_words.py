"""Free text without what may be a name, a number of a patient or a date.

A series' description and the names of folders are typed by people, who type what they please.
Only words that radiology uses, and short numbers, are shown.
"""

from __future__ import annotations

import hashlib
import re

MASK = "…"
LONGEST_NUMBER = 4
"""Digits: sizes and kernels have fewer, dates and numbers of patients more. Our choice."""

YEARS = range(1900, 2100)

_KNOWN = frozenset("""
    a addition and angio angiography ap arch arterial artery average ax axial b bone brain
    ca card carotid cbct cerebral cm contrast cor coronal ct cta cube d dcm dct derived
    dicom dicomdir dir dose dr dra dsa dyna dynact dynavision e ee enhanced f fill filled
    fov frame frames full h hd head high hires hr hu ica icad im ima image images img int
    internal ir iso k kernel kv l large lateral lca left lica localizer long low lt m mask
    max mean medium mip mm mpr mr mra mri ms n nat native neuro no noise non norm normal of
    original other out pa phase plain post pre preset primary projection prop propeller pure
    ra raw rca rec reco recon reconstruction ref reference reformatted rica right rot
    rotation rotational rt run s sag sagittal save sc scan scout screen se sec secondary
    sequence ser series sharp short skull slice slices small smart smooth soft sr st
    standard std study sub subtracted subtraction t thick thin tissue tof tx u v va vaso
    vert vertebral vessel vessels view vol volume volumetric vr vs w wide window with
    without x xa xper xperct xra xrf xtra y z
""".split())  # noqa: SIM905  # fmt: skip
"""Words of series' descriptions and of exported folders. Our choice."""

_TOKEN = re.compile(r"\d+(?:[.:/-]\d+){2,}|\d+|[^\W\d_]+")
"""Dates and identifiers in parts; numbers; words."""


def plain_words(text: str) -> str:
    """The text with each word that is not known masked.

    Example:
        >>> plain_words("3DRA native HOUDART 12.03.1965 512")
        '3DRA native … … 512'
    """
    shown = _TOKEN.sub(lambda found: found[0] if _is_plain(found[0]) else MASK, text[:200])
    return re.sub(r"[^\S ]+|[^\w\s.,;:+*/()\[\]…-]+", " ", shown).strip()


def short_hash(identifier: str) -> str:
    """What tells series apart and gives no identifier away."""
    return hashlib.sha256(identifier.encode("utf-8", "replace")).hexdigest()[:12]


def _is_plain(token: str) -> bool:
    if token.isdecimal():
        number = int(token)
        return number < 10**LONGEST_NUMBER and number not in YEARS
    return token.lower() in _KNOWN
