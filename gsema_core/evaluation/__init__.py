"""How good a segmentation is, measured against a reference."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.evaluation.cases import CaseScore as CaseScore
    from gsema_core.evaluation.cases import score_case as score_case
    from gsema_core.evaluation.comparison import Compared as Compared
    from gsema_core.evaluation.comparison import compare_teachers as compare_teachers
    from gsema_core.evaluation.comparison_tables import comparison_page as comparison_page
    from gsema_core.evaluation.folder_pairs import evaluate_folders as evaluate_folders
    from gsema_core.evaluation.metrics import LesionCounts as LesionCounts
    from gsema_core.evaluation.metrics import case_metrics as case_metrics
    from gsema_core.evaluation.metrics import lesion_metrics as lesion_metrics
    from gsema_core.evaluation.score_summary import summarize_cases as summarize_cases
    from gsema_core.evaluation.statistics import bootstrap_interval as bootstrap_interval
    from gsema_core.evaluation.statistics import compare_rows as compare_rows
    from gsema_core.evaluation.statistics import summarize as summarize
    from gsema_core.evaluation.teacher_score import score_teacher as score_teacher
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "CaseScore": "cases",
            "Compared": "comparison",
            "LesionCounts": "metrics",
            "bootstrap_interval": "statistics",
            "case_metrics": "metrics",
            "compare_rows": "statistics",
            "compare_teachers": "comparison",
            "comparison_page": "comparison_tables",
            "evaluate_folders": "folder_pairs",
            "lesion_metrics": "metrics",
            "score_case": "cases",
            "score_teacher": "teacher_score",
            "summarize": "statistics",
            "summarize_cases": "score_summary",
        },
    )
