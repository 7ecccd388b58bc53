"""The keywords of transforms, losses and networks, which a configuration's tables set."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gsema_core import plugins
from gsema_core.configuration import settings_of
from gsema_core.losses.segmentation_loss import DICE_CE
from gsema_core.networks.network_config import NetworkConfig
from gsema_core.training.config import TrainingConfig
from gsema_core.transforms.transform_factory import find_transform

_ARGUMENT = re.compile(r"    (\w+(?:, \w+)*): (.*)")
"""Of a docstring's section ``Args``."""

NETWORKS = next(one for one in settings_of(NetworkConfig) if one.name == "kind").choices
"""The program's own, which have no keywords."""


@dataclass(frozen=True)
class Keyword:
    """One keyword of what makes a part.

    Attributes:
        name: as it is typed.
        default: its value where none is given; ``inspect.Parameter.empty`` where one must be.
        help: what its docstring says.
    """

    name: str
    default: Any
    help: str


def keywords_of(factory: Any, first: int = 0) -> list[Keyword]:
    """The keywords of a class or function, as its signature has them.

    Args:
        factory: what makes the part.
        first: of its parameters, how many are no keywords.
    """
    try:
        parameters = list(inspect.signature(factory).parameters.values())[first:]
    except (TypeError, ValueError):  # some of C's tell nothing
        return []
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    helps = _helps(factory)
    return [
        Keyword(each.name, each.default, helps.get(each.name, ""))
        for each in parameters
        if each.kind in by_name
    ]


def used_keywords(config: TrainingConfig) -> Iterator[tuple[str, Mapping[str, Any], list[Keyword]]]:
    """The tables of the parts that a configuration uses, with what it sets of them.

    Yields:
        A table's name as ``--set`` takes it, its options, and the part's keywords.

    Raises:
        UserError: a part from outside cannot be imported.
    """
    for name in config.method.transform:
        options = config.transforms.get(name, {})
        yield f"transforms.{name}", options, keywords_of(find_transform(name))
    loss = config.method.segmentation_loss
    if loss != DICE_CE:
        found = plugins.find(loss, "loss", [DICE_CE])
        yield f"losses.{loss}", config.losses.get(loss, {}), keywords_of(found)
    kind = config.network.kind
    if kind not in NETWORKS:
        found = plugins.find(kind, "network", NETWORKS)
        yield "network.options", config.network.options, keywords_of(found, 1)


def _helps(factory: Any) -> dict[str, str]:
    """What the docstrings of a class and of what it inherits from say of each argument."""
    helps: dict[str, str] = {}
    for each in reversed(getattr(factory, "__mro__", (factory,))):
        helps.update(_arguments(inspect.getdoc(each) or ""))
    return helps


def _arguments(docstring: str) -> dict[str, str]:
    """Names to what a docstring in Google's form says of them under ``Args:``."""
    _, _, text = docstring.partition("Args:\n")
    helps: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        if not line.startswith("    "):
            break
        if found := _ARGUMENT.fullmatch(line):
            names = found[1].split(", ")
            helps.update(dict.fromkeys(names, found[2]))
        else:
            helps.update({name: f"{helps[name]} {line.strip()}" for name in names})
    return helps
