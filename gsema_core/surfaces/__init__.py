"""The wall of vessels and aneurysms as a surface for flow simulations."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.surfaces.lumen import (
        LumenSurface as LumenSurface,
        lumen_surface as lumen_surface,
    )
    from gsema_core.surfaces.surface_files import (
        check_surface_path as check_surface_path,
        label_paths as label_paths,
        write_labels_apart as write_labels_apart,
        write_surface as write_surface,
    )
    from gsema_core.surfaces.triangle_mesh import TriangleMesh as TriangleMesh
else:
    __getattr__, __dir__ = lazy_exports(__name__)
