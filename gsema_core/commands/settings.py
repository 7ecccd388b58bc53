"""``gsema settings``: every setting with its default, its range, what it does and its source."""

from __future__ import annotations

import argparse
import sys
from dataclasses import is_dataclass
from pathlib import Path

from gsema_core.commands.train import add_set
from gsema_core.errors import UserError

HELP = "Print every setting with its default, its range and what it does."

_PAGE = """# Settings

`gsema settings` prints this page: it is made from the fields that state the settings. The last
column says where a default comes from: a paper, a measurement (with a link), or *ours*, which means
that this project chose it.

## Segmentation

Options of `gsema segment`, rows of the panel *GSEMASegmentation*, and `settings` in the Slicer
console: `logic.segment(volumeNode, minimumVesselMm3=20)`.

{segment}

## Training

Sections of `config.toml` for `gsema train`, and pages of *Advanced* in the panel *GSEMATraining*. A
preset, named at the top of the file, sets some of them otherwise; what stands in the file wins.
`gsema train config.toml --set SECTION.SETTING=VALUE` wins over both, and
`gsema settings train config.toml` prints what comes out of all of them.

{train}
"""

_PARTS = """### Presets

`preset = "NAME"` at the top of the file, or `--set preset=NAME`. A file `NAME.toml` or
`package.module:Name` is a preset of your own.

{presets}

### [transforms.NAME]

Keywords of the transforms that `transform` in `[method]` names, such as
`--set transforms.paper.strength=0.5`.

{transforms}

### [losses.NAME] and [network.options]

The loss `dice_ce` and the networks `swin_unet` and `cnn` have no keywords: `class_weights` and
`dice_smoothing` in `[optimization]` and the settings of `[network]` are theirs. A loss or a network
of your own has its keywords there ([own_parts.md](../how-to/own_parts.md)):
`--set losses.package.module:Name.KEYWORD=VALUE`, `--set network.options.KEYWORD=VALUE`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind", nargs="?", choices=("segment", "train"), help="only those (default: both)"
    )
    parser.add_argument(
        "config",
        nargs="?",
        type=Path,
        help="a training's configuration (.toml): print the settings as it makes them, and where "
        "each comes from, as a file of settings itself",
    )
    add_set(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.config is not None or arguments.assignments:
        if arguments.kind != "train" or arguments.config is None:
            raise UserError("A configuration and --set are for gsema settings train CONFIG.toml.")
        from gsema_core.training.settings_file import settings_of_file

        for line in settings_of_file(arguments.config, arguments.assignments, _say):
            print(line)
        return 0
    pages = {"segment": segmentation_tables, "train": training_tables}
    if arguments.kind:
        print(pages[arguments.kind]())
    else:
        print(settings_page(), end="")
    return 0


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def settings_page() -> str:
    """docs/reference/settings.md."""
    return _PAGE.format(segment=segmentation_tables(), train=training_tables())


def segmentation_tables() -> str:
    from gsema_core.configuration.settings_page import settings_table
    from gsema_core.inference.settings import SegmentationSettings

    return settings_table(SegmentationSettings)


def training_tables() -> str:
    """A table a section, then presets and the keywords of parts."""
    from gsema_core.configuration import settings_of
    from gsema_core.configuration.settings_page import settings_table
    from gsema_core.training.config import TrainingConfig

    sections = [one for one in settings_of(TrainingConfig) if is_dataclass(one.kind)]
    tables = [f"### [{one.name}]\n\n{settings_table(one.kind)}" for one in sections]
    parts = _PARTS.format(presets=_presets_table(), transforms=_transforms_table())
    return "\n\n".join([*tables, parts])


def _presets_table() -> str:
    from gsema_core.configuration.toml_files import toml_text
    from gsema_core.text_tables import markdown_table
    from gsema_core.training.presets import PRESETS

    return markdown_table(
        [
            {
                "preset": f"`{name}`",
                "sets": ", ".join(
                    f"`{section}.{toml_text({setting: value}).strip()}`"
                    for section, values in tables.items()
                    for setting, value in values.items()
                )
                or "nothing: the settings' own defaults",
            }
            for name, tables in PRESETS.items()
        ]
    )


def _transforms_table() -> str:
    from gsema_core.text_tables import markdown_table
    from gsema_core.training.part_keywords import keywords_of
    from gsema_core.transforms.transform_factory import TRANSFORMS, find_transform

    return markdown_table(
        [
            {
                "keyword": f"`transforms.{name}.{each.name}`",
                "default": f"{each.default:.4g}",
                "what it is": each.help,
            }
            for name in TRANSFORMS
            for each in keywords_of(find_transform(name))
        ]
    )
