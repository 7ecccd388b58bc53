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
    from gsema_core.surgery.part_gate import PartGate as PartGate
    from gsema_core.surgery.projection import (
        conflict_shares as conflict_shares,
        project_conflicts_ as project_conflicts_,
    )
    from gsema_core.surgery.weight_parts import WeightParts as WeightParts
else:
    __getattr__, __dir__ = lazy_exports(__name__)
