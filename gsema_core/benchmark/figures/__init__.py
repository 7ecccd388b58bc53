"""The benchmark's figures; they need the optional extra ``benchmark``."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.benchmark.figures.drawing import draw_figures as draw_figures
else:
    __getattr__, __dir__ = lazy_exports(__name__)
