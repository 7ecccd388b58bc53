"""Gradient surgery EMA: two gradients from one step, a gate on their angle, a teacher that follows.

The paper's section 2.2 and Algorithm 1.
"""

from gsema_core.lazy import lazy_exports

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Decision": "gate",
        "Gate": "gate",
        "GradientRows": "gradients",
        "gradient_similarity": "gate",
        "split_backward": "split_backward",
        "update_teacher": "ema",
        "warmed_up_alpha": "ema",
    },
)
