"""Settings of a training by name, as ``--set optimization.learning_rate=3e-4`` gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gsema_core.configuration import settings_of
from gsema_core.configuration.setting import Setting
from gsema_core.configuration.typed_values import nearest, typed_value
from gsema_core.errors import UserError
from gsema_core.networks.network_config import NetworkConfig
from gsema_core.training.config_sections import (
    DataConfig,
    MethodConfig,
    OptimizationConfig,
    RunConfig,
)
from gsema_core.training.presets import merged, preset_tables

SECTIONS: dict[str, type] = {
    "data": DataConfig,
    "network": NetworkConfig,
    "method": MethodConfig,
    "optimization": OptimizationConfig,
    "run": RunConfig,
}

Tables = dict[str, Any]


def read_assignments(texts: Sequence[str]) -> Tables:
    """The tables that ``NAME=VALUE`` texts stand for; paths start at the current folder.

    Raises:
        UserError: one has no ``=``, names nothing that can be set, or is there twice.

    Example:
        >>> read_assignments(["optimization.learning_rate=3e-4", "transforms.paper.strength=0.5"])
        {'optimization': {'learning_rate': 0.0003}, 'transforms': {'paper': {'strength': 0.5}}}
    """
    tables: Tables = {}
    seen: set[tuple[str, ...]] = set()
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"--set {text[:80]} has no value: write --set {text[:80]}=VALUE.")
        place, one = _place(name.strip())
        if place in seen:
            raise UserError(f"--set {name.strip()} is there twice: give it once.")
        seen.add(place)
        found = typed_value(value.strip(), one)
        if one is not None and one.kind is Path and found:
            found = str(Path(found).absolute())
        if place == ("preset",) and str(found).endswith(".toml"):
            found = str(Path(found).absolute())
        for part in reversed(place):
            found = {part: found}
        tables = merged(tables, found)
    return tables


def with_assignments(
    tables: Mapping[str, Any],
    above: Tables,
    tell: Callable[[str], None],
    with_preset: bool = False,
) -> Tables:
    """A configuration's tables with what ``read_assignments`` gave.

    Options of a transform, a loss or a network that another one replaces are left out, which
    ``tell`` gets a sentence about: they would be refused otherwise.

    Args:
        tables: of the file, its preset among them.
        above: what wins.
        tell: gets the sentences.
        with_preset: whether the preset was set too.
    """
    below = dict(tables)
    both = merged(below, above)
    method = merged(
        preset_tables(both.get("preset", "paper")).get("method", {}), both.get("method", {})
    )
    chosen = above.get("method", {})
    used: dict[str, Any] = {}
    if with_preset or "transform" in chosen:
        used["transforms"] = method.get("transform", list(MethodConfig.transform))
    if with_preset or "segmentation_loss" in chosen:
        used["losses"] = [method.get("segmentation_loss", MethodConfig.segmentation_loss)]
    for section, names in used.items():
        options = below.get(section)
        if isinstance(names, list) and isinstance(options, Mapping):
            for name in [each for each in options if each not in names]:
                tell(f"--set leaves out [{section}.{name}] of the file, which is not used then.")
            below[section] = {name: options[name] for name in options if name in names}
    kind, network = above.get("network", {}).get("kind"), below.get("network")
    if kind and isinstance(network, Mapping) and network.get("kind") != kind:
        if "options" in network:
            tell("--set leaves out [network.options] of the file, which is of another network.")
        below["network"] = {name: network[name] for name in network if name != "options"}
    return merged(below, above)


def known_names() -> list[str]:
    """The names of all sections' settings, as ``--set`` takes them."""
    return ["preset", *(f"{section}.{one.name}" for section, one in _settings())]


def _settings() -> Iterator[tuple[str, Setting]]:
    for section, kind in SECTIONS.items():
        for one in settings_of(kind):
            if one.help:
                yield section, one


def _place(name: str) -> tuple[tuple[str, ...], Setting | None]:
    """Where a name stands in the tables, and its setting, where it is one of a section."""
    section, _, rest = name.partition(".")
    for known, one in _settings():
        if (known, one.name) == (section, rest):
            return (section, rest), one
    if name == "preset":
        return ("preset",), Setting("preset", str, optional=False, default="paper")
    if section in ("transforms", "losses"):
        part, _, keyword = rest.rpartition(".")  # package.module:Name has dots too
        part = part.strip("'\"")
        if part and keyword:
            return (section, part, keyword), None
    if section == "network" and rest.startswith("options.") and rest != "options.":
        return (section, "options", rest.removeprefix("options.")), None
    raise UserError(
        f"--set {name[:80]} names no setting{_meant(name)}: gsema settings train lists all of them."
    )


def _meant(name: str) -> str:
    """What a wrong name may stand for: the section left out, or a letter."""
    alike = [each for each in known_names() if each.partition(".")[2] == name]
    if alike:
        return f" (did you mean {' or '.join(alike)}?)"
    section = name.partition(".")[0]
    if section in ("transforms", "losses"):
        return f" (write {section}.NAME.KEYWORD)"
    return nearest(name, known_names())
