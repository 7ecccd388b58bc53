"""``python -m gsema_core`` is the ``gsema`` command."""

import sys

from gsema_core.cli import program

sys.exit(program())
