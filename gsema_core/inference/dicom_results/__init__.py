"""Results as DICOM objects for the archive the scan came from: segmentation and measurements."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.inference.dicom_results.making import (
        check_source as check_source,
        dicom_objects as dicom_objects,
        write_object as write_object,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)
