"""Target transforms: what makes the simulated target patch of a source patch (section 2.1)."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.transforms.base import Transform as Transform
    from gsema_core.transforms.none import NoTransform as NoTransform
    from gsema_core.transforms.paper import PaperTransform as PaperTransform
    from gsema_core.transforms.sequence import Sequence as Sequence
    from gsema_core.transforms.transform_factory import (
        TargetTransform as TargetTransform,
        build_transform as build_transform,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)
