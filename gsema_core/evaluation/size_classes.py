"""Aneurysms by size: small ones are missed more often, and matter less."""

from __future__ import annotations

import math

SIZE_CLASSES = {
    "under 3 mm": (0.0, 3.0),
    "3 to 5 mm": (3.0, 5.0),
    "5 to 10 mm": (5.0, 10.0),
    "10 mm and more": (10.0, math.inf),
}
"""Largest diameter in mm: from the first number on, below the second. As the field speaks: very
small (below 3 mm), small, medium and, from 10 mm on, large."""
