"""Bytes to volumes and back: one file a format, one guard for damaged files, atomic writing."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.files.label_maps import read_labels as read_labels
    from gsema_core.files.reading import read_volume as read_volume
    from gsema_core.files.writing import write_labels as write_labels, write_volume as write_volume
else:
    __getattr__, __dir__ = lazy_exports(__name__)
