"""What a reader wants to know about each aneurysm."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.measurements.aneurysm import (
        Aneurysm as Aneurysm,
        is_current as is_current,
        measurements_report as measurements_report,
    )
    from gsema_core.measurements.aneurysm_table import (
        COLUMNS as COLUMNS,
        Column as Column,
        write_aneurysms_csv as write_aneurysms_csv,
    )
    from gsema_core.measurements.aneurysms import (
        aneurysm_numbers as aneurysm_numbers,
        measure_aneurysms as measure_aneurysms,
    )
    from gsema_core.measurements.neck_division import (
        Lumen as Lumen,
        divide_at_plane as divide_at_plane,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)
