"""Labelled cases for training: finding, examining, splitting, caching and drawing patches."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.datasets.cache import VolumeCache as VolumeCache
    from gsema_core.datasets.case_files import read_case as read_case
    from gsema_core.datasets.case_files import read_case_labels as read_case_labels
    from gsema_core.datasets.case_finding import find_cases as find_cases
    from gsema_core.datasets.case_summary import summarize as summarize
    from gsema_core.datasets.choosing import choose_cases as choose_cases
    from gsema_core.datasets.datalist import Case as Case
    from gsema_core.datasets.datalist import read_datalist as read_datalist
    from gsema_core.datasets.examination import CaseFacts as CaseFacts
    from gsema_core.datasets.examination import Examined as Examined
    from gsema_core.datasets.examination import examine as examine
    from gsema_core.datasets.examination import examine_all as examine_all
    from gsema_core.datasets.patches import PatchDataset as PatchDataset
    from gsema_core.datasets.splits import Split as Split
    from gsema_core.datasets.splits import check_leave_one_out as check_leave_one_out
    from gsema_core.datasets.splits import split_by_patient as split_by_patient
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "Case": "datalist",
            "CaseFacts": "examination",
            "Examined": "examination",
            "PatchDataset": "patches",
            "Split": "splits",
            "VolumeCache": "cache",
            "check_leave_one_out": "splits",
            "choose_cases": "choosing",
            "examine": "examination",
            "examine_all": "examination",
            "find_cases": "case_finding",
            "read_case": "case_files",
            "read_case_labels": "case_files",
            "read_datalist": "datalist",
            "split_by_patient": "splits",
            "summarize": "case_summary",
        },
    )
