"""How good a segmentation is, measured against a reference."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.evaluation.cases import CaseScore as CaseScore, score_case as score_case
    from gsema_core.evaluation.comparison import (
        Compared as Compared,
        compare_teachers as compare_teachers,
    )
    from gsema_core.evaluation.comparison_tables import comparison_page as comparison_page
    from gsema_core.evaluation.folder_pairs import evaluate_folders as evaluate_folders
    from gsema_core.evaluation.label_folders import PairingRules as PairingRules
    from gsema_core.evaluation.metrics import (
        LesionCounts as LesionCounts,
        case_metrics as case_metrics,
        lesion_metrics as lesion_metrics,
    )
    from gsema_core.evaluation.score_summary import summarize_cases as summarize_cases
    from gsema_core.evaluation.statistics import compare_rows as compare_rows
    from gsema_core.evaluation.teacher_score import score_teacher as score_teacher
else:
    __getattr__, __dir__ = lazy_exports(__name__)
