"""Training a student and its teacher by GS-EMA and BACL.

>>> from gsema_core.training import TrainingConfig, train
>>> config = TrainingConfig.preset("paper", datalist="datalist.json", output="runs/a")
>>> result = train(config)  # doctest: +SKIP
"""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.training.config import TrainingConfig as TrainingConfig
    from gsema_core.training.presets import PRESETS as PRESETS
    from gsema_core.training.training_run import train as train
else:
    __getattr__, __dir__ = lazy_exports(__name__)
