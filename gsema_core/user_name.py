"""A name for a user that has none, as in many containers: MONAI and PyTorch insist on one."""

from __future__ import annotations

import getpass
import os

NAME = "user"


def name_the_user() -> None:
    """Give the libraries of this process a name where the system knows none."""
    try:
        getpass.getuser()
    except (KeyError, ImportError, OSError):  # which one depends on the system and the version
        os.environ["LOGNAME"] = NAME
