"""Training a student and its teacher by GS-EMA and BACL.

>>> from gsema_core.training import TrainingConfig, train
>>> train(TrainingConfig.preset("paper", datalist="datalist.json", output="runs/a"))  # doctest: +SKIP
"""

from gsema_core.lazy import lazy_exports

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "PRESETS": "presets",
        "TrainingConfig": "config",
        "train": "run",
    },
)
