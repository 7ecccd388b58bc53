"""What every test shares."""

from __future__ import annotations

import os

# Two cores serve tests, training and benchmarks alike: libraries must not start a thread a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")
