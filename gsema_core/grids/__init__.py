"""Voxels and where they lie in the patient: geometry, boxes, components, the working grid."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.grids.geometry import Geometry as Geometry
    from gsema_core.grids.volume import Volume as Volume
    from gsema_core.grids.working_grid import (
        labels_to_working as labels_to_working,
        to_working as to_working,
        working_geometry as working_geometry,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)
