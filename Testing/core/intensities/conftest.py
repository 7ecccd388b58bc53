"""Lets the tests here share their scan."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import made_scan  # noqa: F401 - so that it is found once the path is as it was

sys.path.pop(0)
