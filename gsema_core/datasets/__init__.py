"""Labelled cases for training: the list, the split by patient, cached volumes, patches."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.datasets.cache import VolumeCache as VolumeCache
    from gsema_core.datasets.datalist import Case as Case
    from gsema_core.datasets.datalist import read_datalist as read_datalist
    from gsema_core.datasets.patches import PatchDataset as PatchDataset
    from gsema_core.datasets.splits import Split as Split
    from gsema_core.datasets.splits import split_by_patient as split_by_patient

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Case": "datalist",
        "PatchDataset": "patches",
        "Split": "splits",
        "VolumeCache": "cache",
        "read_datalist": "datalist",
        "split_by_patient": "splits",
    },
)
