"""Aneurysms put on artery trees: real ones of other patients, parametric ones, fusiform pieces.

``transplant`` changes a label map in place and keeps to the contract of changes of the anatomy that
`gsema_core.simulation.trees` states. What is put on a tree is chosen first, by ``draw_plan``: where
none of that kind fits, nothing is put, so that the mix of kinds does not turn into that of the easy
ones. Draw one plan a scan and pass it to each attempt. ``divide`` gives all aneurysms of a label
map, the patients' own and those put there, necks by one rule.
"""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.simulation.sacs.neck_rule import divide as divide
    from gsema_core.simulation.sacs.sac_library import SacLibrary as SacLibrary
    from gsema_core.simulation.sacs.sac_plan import SacPlan as SacPlan, draw_plan as draw_plan
    from gsema_core.simulation.sacs.transplanting import (
        Transplant as Transplant,
        transplant as transplant,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)
