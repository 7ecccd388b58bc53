"""What this computer can do: devices, threads, memory, precision."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.machine.computing import Computing as Computing
    from gsema_core.machine.devices import (
        available_devices as available_devices,
        resolve_device as resolve_device,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)
