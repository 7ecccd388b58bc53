"""Parametric vessel trees with saccular aneurysms."""

from __future__ import annotations

from gsema_core.volumes import Volume


def make_phantom(seed: int, size_mm: float = 64.0, spacing_mm: float = 0.4) -> Volume:
    raise RuntimeError(seed, size_mm, spacing_mm)
