"""Clicks of a user: as input of a network, and as a simulated user makes them."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.clicks.gaussians import click_channels as click_channels
    from gsema_core.clicks.kinds import KINDS as KINDS
    from gsema_core.clicks.simulated_user import (
        first_click as first_click,
        next_click as next_click,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)
