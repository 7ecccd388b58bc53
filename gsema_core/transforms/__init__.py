"""Target transforms: what makes the simulated target patch of a source patch (section 2.1)."""

from gsema_core.lazy import lazy_exports

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "NoTransform": "none",
        "PaperTransform": "paper",
        "Sequence": "sequence",
        "Transform": "base",
        "build_transform": "transform_factory",
    },
)
