"""Labelled cases for training: the list, the split by patient, cached volumes, patches."""

from gsema_core.lazy import lazy_exports

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
