"""What a reader wants to know about each aneurysm."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.measurements.aneurysm_table import COLUMNS as COLUMNS
    from gsema_core.measurements.aneurysm_table import Column as Column
    from gsema_core.measurements.aneurysm_table import write_aneurysms_csv as write_aneurysms_csv
    from gsema_core.measurements.aneurysms import Aneurysm as Aneurysm
    from gsema_core.measurements.aneurysms import measure_aneurysms as measure_aneurysms
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "Aneurysm": "aneurysms",
            "COLUMNS": "aneurysm_table",
            "Column": "aneurysm_table",
            "measure_aneurysms": "aneurysms",
            "write_aneurysms_csv": "aneurysm_table",
        },
    )
