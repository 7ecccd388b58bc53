"""``python -m gsema_core`` is the ``gsema`` command."""

import sys

from gsema_core.cli import main

sys.exit(main())
