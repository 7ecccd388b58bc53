"""Settings: each is stated once, on a field of a dataclass, and everything else is made from it.

A field made by ``setting`` knows its type, unit, range or choices, default, help and source. From
there come the strict builder (``build``, ``check``), the command line's options (``options``), the
TOML files (``toml_files``), the reference page (``settings_page``) and the rows of Slicer's panels.

Only the standard library is imported here: panels show their settings before anything is
installed. (cattrs and msgspec would build the dataclasses, but neither comes with Slicer.)
"""

from gsema_core.configuration.building import build, check, checked, plain
from gsema_core.configuration.setting import Setting, setting, settings_of

__all__ = ["Setting", "build", "check", "checked", "plain", "setting", "settings_of"]
