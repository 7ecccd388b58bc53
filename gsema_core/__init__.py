"""Cerebral aneurysm segmentation in 3D rotational angiography with GS-EMA.

The names here are what scripts rely on; everything below may move. They are loaded when they are
first used, so that importing this package costs nothing.

For research use; not a medical device.
"""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports
from gsema_core.user_name import name_the_user
from gsema_core.version import __version__ as __version__

name_the_user()

if TYPE_CHECKING:
    from gsema_core.errors import UserError as UserError
    from gsema_core.files import (
        read_labels as read_labels,
        read_volume as read_volume,
        write_labels as write_labels,
        write_volume as write_volume,
    )
    from gsema_core.grids import Geometry as Geometry, Volume as Volume
    from gsema_core.inference import (
        Segmenter as Segmenter,
        segment as segment,
        segment_at_points as segment_at_points,
    )
    from gsema_core.measurements import measure_aneurysms as measure_aneurysms
    from gsema_core.teachers import load_teacher as load_teacher
    from gsema_core.training import TrainingConfig as TrainingConfig, train as train
else:
    __getattr__, __dir__ = lazy_exports(__name__)
