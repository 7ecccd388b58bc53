"""Cerebral aneurysm segmentation in 3D rotational angiography with GS-EMA.

The names here are what scripts rely on; everything below may move. They are loaded when they are
first used, so that importing this package costs nothing.

For research use; not a medical device.
"""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gsema_core.errors import UserError as UserError
    from gsema_core.files import read_labels as read_labels
    from gsema_core.files import read_volume as read_volume
    from gsema_core.files import write_labels as write_labels
    from gsema_core.files import write_volume as write_volume
    from gsema_core.grids import Geometry as Geometry
    from gsema_core.grids import Volume as Volume
    from gsema_core.inference import Segmenter as Segmenter
    from gsema_core.inference import segment as segment
    from gsema_core.inference import segment_at_point as segment_at_point
    from gsema_core.measurements import measure_aneurysms as measure_aneurysms
    from gsema_core.teachers import load_teacher as load_teacher
    from gsema_core.training import TrainingConfig as TrainingConfig
    from gsema_core.training import train as train
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "Geometry": "grids",
            "Segmenter": "inference",
            "TrainingConfig": "training",
            "UserError": "errors",
            "Volume": "grids",
            "load_teacher": "teachers",
            "measure_aneurysms": "measurements",
            "read_labels": "files",
            "read_volume": "files",
            "segment": "inference",
            "segment_at_point": "inference",
            "train": "training",
            "write_labels": "files",
            "write_volume": "files",
        },
    )
