"""A small configuration with one setting of each kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gsema_core.configuration import check, setting


@dataclass(frozen=True)
class Inner:
    place: ClassVar[str] = "in [inner]"

    steps: int = setting(3, "Steps.", low=1, high=10)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Sample:
    place: ClassVar[str] = "of the sample"

    name: str = setting(help="A name.", low=1, high=5)
    share: float = setting(0.5, "A share, in %.", unit="mm", low=0, high=1, group="shares")
    sure: bool = setting(True, "Whether to be sure.", group="shares")
    kind: str = setting("a", "Which kind.", choices=("a", "b"), option="sort", group="kinds")
    limit: float | None = setting(None, "A limit.", low=0, high=9, group="kinds")
    size: tuple[int, int, int] = setting((1, 2, 3), "Three sizes.", low=1, high=9)
    names: tuple[str, ...] = setting((), "Names.", group="kinds")
    folder: Path = setting(Path("a"), "A folder.")
    extra: dict[str, Any] = field(default_factory=dict)
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self) -> None:
        check(self)


@pytest.fixture
def sample() -> type[Sample]:
    return Sample
