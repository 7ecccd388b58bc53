from __future__ import annotations

from dataclasses import is_dataclass
from pathlib import Path

from gsema_core.commands.settings import settings_page
from gsema_core.configuration import settings_of
from gsema_core.configuration.settings_page import settings_table
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.training.config import TrainingConfig

ROOT = Path(__file__).resolve().parents[3]


def test_a_row_says_everything(sample: type) -> None:
    table = settings_table(sample)
    assert (
        "| `share`<br>`--share` | 0.5 mm | a number from 0 to 1 | A share, in %. | ours |" in table
    )
    assert "| `size` | 1, 2, 3 | 3 whole numbers from 1 to 9 | Three sizes. | ours |" in table
    assert "| `limit`<br>`--limit` | none |" in table


def test_the_page_in_the_docs_is_what_the_command_prints() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert page == settings_page(), "run gsema settings > docs/reference/settings.md"


def test_every_setting_explains_itself() -> None:
    """In a sentence; and what can be chosen has limits wherever it is a number."""
    sections = [one.kind for one in settings_of(TrainingConfig) if is_dataclass(one.kind)]
    for kind in (SegmentationSettings, *sections):
        for one in settings_of(kind):
            if one.help:
                assert one.help.endswith((".", ").")), one.name
                assert one.source, one.name
                if one.element in (int, float):
                    assert one.low is not None and one.high is not None, one.name


def test_a_page_that_is_a_source_becomes_a_link() -> None:
    table = settings_table(SegmentationSettings)
    assert "| [performance.md](../explanation/performance.md) |" in table
