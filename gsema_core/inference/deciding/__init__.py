"""From probabilities to labels on the scan's own grid: certainty, walls, cleaning."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.inference.deciding.original_grid import (
        probabilities_to_labels as probabilities_to_labels,
    )
    from gsema_core.inference.deciding.original_grid import (
        probability_to_original as probability_to_original,
    )
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "probabilities_to_labels": "original_grid",
            "probability_to_original": "original_grid",
        },
    )
