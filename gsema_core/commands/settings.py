"""``gsema settings``: every setting with its default, its range, what it does and its source."""

from __future__ import annotations

import argparse
from dataclasses import is_dataclass

HELP = "Print every setting with its default, its range and what it does."

_PAGE = """# Settings

`gsema settings` prints this page: it is made from the fields that state the settings.

## Segmentation

Options of `gsema segment`, rows of the panel *GSEMASegmentation*, and `settings` in the Slicer
console: `logic.segment(volumeNode, minimumVesselMm3=20)`.

{segment}

## Training

Sections of `config.toml` for `gsema train`, and pages of *Advanced* in the panel *GSEMATraining*. A
preset, named at the top of the file, sets some of them otherwise; what stands in the file wins.
Tables `[transforms.NAME]`, `[losses.NAME]` and `[network.options]` set the keywords of a transform
(its strengths), a loss and a network; [own_parts.md](../how-to/own_parts.md) tells how to add some.

{train}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind", nargs="?", choices=("segment", "train"), help="only those (default: both)"
    )


def run(arguments: argparse.Namespace) -> int:
    pages = {"segment": segmentation_tables, "train": training_tables}
    if arguments.kind:
        print(pages[arguments.kind]())
    else:
        print(settings_page(), end="")
    return 0


def settings_page() -> str:
    """docs/reference/settings.md."""
    return _PAGE.format(segment=segmentation_tables(), train=training_tables())


def segmentation_tables() -> str:
    from gsema_core.configuration.settings_page import settings_table
    from gsema_core.inference.settings import SegmentationSettings

    return settings_table(SegmentationSettings)


def training_tables() -> str:
    """A table a section."""
    from gsema_core.configuration import settings_of
    from gsema_core.configuration.settings_page import settings_table
    from gsema_core.training.config import TrainingConfig

    sections = [one for one in settings_of(TrainingConfig) if is_dataclass(one.kind)]
    return "\n\n".join(f"### [{one.name}]\n\n{settings_table(one.kind)}" for one in sections)
