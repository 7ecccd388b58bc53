"""A module's icon for light or for dark windows.

Slicer gives a scripted module the file Resources/Icons/<Module>.png for both, and knows no other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt

DARK_BELOW = 128
"""A window whose lightness (0 to 255) is below this counts as dark. It is the middle, by which
Slicer's own widgets tell dark styles, too."""


def moduleIcon(modulePath: str) -> Any:
    """The icon that can be seen on the application's windows as they are now.

    Args:
        modulePath: the module's file; its icons lie in Resources/Icons beside it.

    Returns:
        A QIcon; None where there is no window, or no dark icon is needed.
    """
    module = Path(modulePath)
    dark = module.parent / "Resources" / "Icons" / f"{module.stem}-dark.png"
    return qt.QIcon(str(dark)) if isDark() and dark.is_file() else None


def isDark() -> bool:
    """Whether the application's windows are dark."""
    if not hasattr(qt, "QPalette"):  # no windows at all
        return False
    # The default palette is that of the application.
    return int(qt.QPalette().color(qt.QPalette.Window).lightness()) < DARK_BELOW
