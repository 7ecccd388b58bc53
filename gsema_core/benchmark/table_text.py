"""Numbers as the benchmark's tables write them."""

from __future__ import annotations

import numpy as np

from gsema_core.evaluation.statistics import Comparison


def with_interval(value: float, interval: tuple[float, float], percent: bool = False) -> str:
    """For example ``0.512 (0.430 to 0.590)``."""
    low, high = interval
    if percent:
        return f"{100 * value:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def p_text(test: Comparison | None) -> str:
    """Holm's p; a dash without a test."""
    if test is None or np.isnan(test.p_holm):
        return "-"
    return "< 0.001" if test.p_holm < 0.001 else f"{test.p_holm:.3f}"


def effect_text(test: Comparison | None) -> str:
    """The rank-biserial effect of the first row against the second."""
    return "-" if test is None else f"{test.rank_biserial:+.2f}"
