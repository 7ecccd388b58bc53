"""Values of a DICOM header as plain Python ones; a missing or nonsensical value is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset

from gsema_core.files.dicom.guard import check_items


def items_of(source: Dataset, name: str) -> Sequence[Dataset]:
    """The items of a sequence; none where it is missing."""
    if name not in source:
        return ()
    check_items(getattr(source.get_item(name), "value", None))
    value = source[name].value
    return value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else ()


def values_of(source: Dataset, name: str) -> list[Any]:
    if name not in source:
        return []
    value = source[name].value
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def vector_of(source: Dataset, name: str, count: int) -> tuple[float, ...]:
    """Finite numbers, so many; nothing where it is missing or says anything else."""
    try:
        found = tuple(float(value) for value in values_of(source, name))
    except (TypeError, ValueError):
        return ()
    return found if len(found) == count and all(map(math.isfinite, found)) else ()


def integer_of(source: Dataset, name: str, default: int = 0) -> int:
    found = vector_of(source, name, 1)
    return int(found[0]) if found else default


def text_of(source: Dataset, name: str) -> str:
    return str((values_of(source, name) or [""])[0]).strip(" \0")
