"""Simulated rotational angiography: phantoms, scanners, acquisition."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.simulation.acquisition import acquire as acquire
    from gsema_core.simulation.centers import CENTERS as CENTERS
    from gsema_core.simulation.phantom import make_phantom as make_phantom
else:
    __getattr__, __dir__ = lazy_exports(__name__)
