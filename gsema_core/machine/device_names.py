"""How devices are named. No torch here: a name is checked before anything takes time."""

from __future__ import annotations

import re

from gsema_core.errors import UserError


def check_device_name(name: str) -> None:
    """Check how a device is named; whether this machine has it, only torch knows.

    Raises:
        UserError: it is none of ``auto``, ``cpu``, ``cuda`` and ``cuda:N``.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", name):
        raise UserError(f"The device {name!r} is unknown: use auto, cpu, cuda or cuda:N.")
