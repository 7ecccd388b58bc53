"""Images and label maps with their geometry: files, the working grid and the way back."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.volumes.geometry import Geometry as Geometry
    from gsema_core.volumes.intensity import IntensityRule as IntensityRule
    from gsema_core.volumes.intensity import scale_intensity as scale_intensity
    from gsema_core.volumes.reading import read_labels as read_labels
    from gsema_core.volumes.reading import read_volume as read_volume
    from gsema_core.volumes.volume import Volume as Volume
    from gsema_core.volumes.way_back import probabilities_to_labels as probabilities_to_labels
    from gsema_core.volumes.way_back import probability_to_original as probability_to_original
    from gsema_core.volumes.working_grid import labels_to_working as labels_to_working
    from gsema_core.volumes.working_grid import to_working as to_working
    from gsema_core.volumes.working_grid import working_geometry as working_geometry
    from gsema_core.volumes.writing import write_labels as write_labels
    from gsema_core.volumes.writing import write_volume as write_volume

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Geometry": "geometry",
        "IntensityRule": "intensity",
        "Volume": "volume",
        "labels_to_working": "working_grid",
        "probabilities_to_labels": "way_back",
        "probability_to_original": "way_back",
        "read_labels": "reading",
        "read_volume": "reading",
        "scale_intensity": "intensity",
        "to_working": "working_grid",
        "working_geometry": "working_grid",
        "write_labels": "writing",
        "write_volume": "writing",
    },
)
