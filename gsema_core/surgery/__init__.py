"""Gradient surgery EMA: two gradients from one step, a gate on their angle, a teacher that follows.

The paper's section 2.2 and Algorithm 1.
"""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.surgery.backward import (
        single_backward as single_backward,
        split_backward as split_backward,
    )
    from gsema_core.surgery.ema import (
        update_teacher as update_teacher,
        warmed_up_alpha as warmed_up_alpha,
    )
    from gsema_core.surgery.gate import (
        Decision as Decision,
        Gate as Gate,
        gradient_similarity as gradient_similarity,
    )
    from gsema_core.surgery.gradients import GradientRows as GradientRows
else:
    __getattr__, __dir__ = lazy_exports(__name__)
