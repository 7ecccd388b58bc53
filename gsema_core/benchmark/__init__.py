"""Who wins: every row of the paper's table, trained without one center and scored on it."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.benchmark.benchmark_run import (
        report_benchmark as report_benchmark,
        run_benchmark as run_benchmark,
    )
    from gsema_core.benchmark.plan import Cell as Cell, Plan as Plan
else:
    __getattr__, __dir__ = lazy_exports(__name__)
