"""Labelled cases for training: finding, examining, splitting, caching and drawing patches."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.datasets.cache import VolumeCache as VolumeCache
    from gsema_core.datasets.case_files import read_case as read_case
    from gsema_core.datasets.case_finding import find_cases as find_cases
    from gsema_core.datasets.choosing import choose_cases as choose_cases
    from gsema_core.datasets.datalist import (
        Case as Case,
        read_datalist as read_datalist,
        write_datalist as write_datalist,
    )
    from gsema_core.datasets.examination import Examined as Examined, examine_all as examine_all
    from gsema_core.datasets.patches import PatchDataset as PatchDataset
    from gsema_core.datasets.splits import Split as Split, split_by_patient as split_by_patient
else:
    __getattr__, __dir__ = lazy_exports(__name__)
