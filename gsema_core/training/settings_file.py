"""The settings of a training as a file and ``--set`` make them, with where each comes from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gsema_core.configuration import plain, settings_of
from gsema_core.configuration.toml_files import read_toml, toml_key, toml_text
from gsema_core.training.assignments import SECTIONS, read_assignments
from gsema_core.training.config import TrainingConfig
from gsema_core.training.part_keywords import used_keywords
from gsema_core.training.presets import preset_tables, with_preset_file

_COLUMN = 44
"""Where the notes begin, unless a value reaches further (ours)."""


def settings_of_file(
    path: Path, assignments: Sequence[str], tell: Callable[[str], None]
) -> Iterator[str]:
    """A training's settings as lines of TOML, which a file may have as they are.

    Args:
        path: the configuration.
        assignments: ``NAME=VALUE`` texts that win over it.
        tell: gets a sentence about what of the file they leave out.

    Raises:
        UserError: the file or an assignment cannot be used.
    """
    config = TrainingConfig.from_toml(path, assignments, tell)
    above = read_assignments(assignments)
    file = read_toml(path)
    file["preset"] = above.get("preset", file.get("preset", ""))
    file = with_preset_file(file, path.parent)
    yield _line("preset", config.preset_name, "--set" if "preset" in above else "")
    preset = preset_tables(config.preset_name)
    origins = {"--set": above, "the file": file, f"preset {config.preset_name}": preset}
    for section, kind in SECTIONS.items():
        yield ""
        yield f"[{section}]"
        for one in settings_of(kind):
            if one.help:
                value = getattr(getattr(config, section), one.name)
                if one.kind is Path:
                    value = "" if value == Path() else value.absolute()
                found = (
                    name for name, each in origins.items() if one.name in each.get(section, {})
                )
                yield _line(one.name, value, next(found, ""))
    yield from _parts(config, above)


def _parts(config: TrainingConfig, above: Mapping[str, Any]) -> Iterator[str]:
    for table, options, keywords in used_keywords(config):
        section, _, name = table.partition(".")
        set_here = above.get(section, {}).get(name, {})
        yield ""
        yield f"[{section}.{toml_key(name)}]"
        for each in keywords:
            if each.name in options:
                origin = "--set" if each.name in set_here else "the file"
                yield _line(each.name, options[each.name], origin)
            elif each.default is inspect.Parameter.empty or each.default is None:
                yield f"# {each.name} is not set"
            else:
                yield _line(each.name, each.default, "")


def _line(name: str, value: Any, origin: str) -> str:
    text = toml_text({name: plain(value)}).strip()
    return f"{text:<{_COLUMN}} # {origin}" if origin else text
