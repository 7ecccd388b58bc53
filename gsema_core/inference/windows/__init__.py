"""A network that knows small windows, applied to a whole scan."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.inference.windows.sliding_window import predict_windows as predict_windows
else:
    __getattr__, __dir__ = lazy_exports(__name__)
