"""Everything that a training run is: frozen dataclasses, presets, TOML. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, cast

from gsema_core import plugins
from gsema_core.configuration import build, check, plain, settings_of
from gsema_core.configuration.toml_files import read_toml
from gsema_core.errors import UserError
from gsema_core.networks.network_config import NetworkConfig
from gsema_core.teachers.card import is_plain_name
from gsema_core.training.assignments import read_assignments, with_assignments
from gsema_core.training.config_sections import (
    DataConfig,
    MethodConfig,
    OptimizationConfig,
    RunConfig,
)
from gsema_core.training.presets import overridden, preset_tables, with_preset_file

DEEPEST_EDGE = 4
"""The fewest voxels along an edge of a patch's deepest map: measured with PyTorch 2.13 on CPUs,
bfloat16 convolutions of 2 x 2 x 2 maps read memory that nobody wrote and return nan gradients."""


@dataclass(frozen=True)
class TrainingConfig:
    """One training run; ``config_sections`` has its sections, docs/reference/settings.md lists all.

    Example:
        >>> config = TrainingConfig.preset("paper", datalist="cases.json", output="runs/first")
        >>> config.method.alpha_conflict, config.run.steps
        (1.0, 5000)
    """

    place: ClassVar[str] = "of the training"

    data: DataConfig = field(default_factory=DataConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    method: MethodConfig = field(default_factory=MethodConfig)
    optimization: OptimizationConfig = field(default_factory=OptimizationConfig)
    run: RunConfig = field(default_factory=RunConfig)
    transforms: dict[str, Any] = field(default_factory=dict)
    """Keywords of each transform by its name, the tables [transforms.NAME]."""
    losses: dict[str, Any] = field(default_factory=dict)
    """Keywords of a loss from outside by its name, the table [losses.NAME]."""
    preset_name: str = "default"

    def __post_init__(self) -> None:
        check(self)
        _check_together(self)

    @classmethod
    def preset(
        cls, name: str, *, datalist: str | Path, output: str | Path, **sections: Mapping[str, Any]
    ) -> TrainingConfig:
        """A run of a named method; ``sections`` overrides single fields.

        Example:
            >>> config = TrainingConfig.preset("paper", datalist="a.json", output="runs/a",
            ...                                run={"steps": 100})
            >>> config.run.steps, config.method.alpha_aligned
            (100, 0.9)

        Raises:
            UserError: unknown preset, section, field or value.
        """
        tables = {key: dict(values) for key, values in sections.items()}
        tables.setdefault("data", {})["datalist"] = str(datalist)
        tables.setdefault("run", {})["output"] = str(output)
        return cls.from_dict({"preset": name, **tables})

    @classmethod
    def from_dict(cls, tables: Mapping[str, Any]) -> TrainingConfig:
        """Build from nested dictionaries (TOML's); strict about names and types.

        Raises:
            UserError: unknown preset, section, setting or value.
        """
        sections = with_preset_file(tables)
        name = sections.pop("preset", "paper")
        sections = overridden(preset_tables(name), sections)
        if "preset_name" in sections:
            raise UserError("Unknown setting preset_name of the training: use preset.")
        return build(cls, {**sections, "preset_name": name})

    @classmethod
    def from_toml(
        cls,
        path: str | Path,
        assignments: Sequence[str] = (),
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> TrainingConfig:
        """Read ``gsema train``'s file; relative paths in it start at the file's folder.

        Where it names a part as ``package.module:Name``, the folder's own modules can be imported.

        Args:
            path: the file.
            assignments: ``NAME=VALUE`` texts that win over it; their paths start at the current
                folder.
            tell: gets a sentence about what of the file they leave out.

        Raises:
            UserError: the file or an assignment cannot be used.
        """
        path = Path(path)
        above = read_assignments(assignments)
        tables = read_toml(path)
        other_preset = "preset" in above
        if other_preset:
            tables["preset"] = above.pop("preset")
        tables = with_preset_file(tables, path.parent)
        if plugins.outside_names([tables, above]):
            plugins.make_importable(path.parent)
        tables = with_assignments(tables, above, tell, other_preset)
        config = cls.from_dict(tables)
        for section, setting in (("data", "datalist"), ("run", "output")):
            if not tables.get(section, {}).get(setting):
                raise UserError(f"The configuration {path} does not name the {setting}: add it.")
        folder = path.parent
        return replace(
            config,
            data=replace(
                config.data,
                datalist=folder / config.data.datalist,
                cache=folder / config.data.cache if config.data.cache != Path() else Path(),
            ),
            run=replace(config.run, output=folder / config.run.output),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain nested values, for checkpoints and cards; `from_dict` takes them back."""
        tables: dict[str, Any] = plain(self)
        tables["preset"] = tables.pop("preset_name")
        return tables


def preset_values(name: str) -> dict[str, dict[str, Any]]:
    """Every setting of each section as a preset has it, plain.

    Raises:
        UserError: there is no such preset, or a value of it makes no sense.
    """
    tables = preset_tables(name)
    return {
        section.name: plain(build(cast(Any, section.kind), tables.get(section.name, {})))
        for section in settings_of(TrainingConfig)
        if is_dataclass(section.kind)
    }


def _check_together(config: TrainingConfig) -> None:
    """Refuse values that do not fit each other, which would fail hours later.

    Raises:
        UserError: says which.
    """
    if not is_plain_name(config.run.name):
        raise UserError(
            f"Setting name in [run] is {config.run.name!r}: use up to 80 letters, digits, spaces "
            "and . _ + - ( )."
        )
    multiple = config.network.multiple
    least = DEEPEST_EDGE * multiple
    if any(size % multiple or size < least for size in config.data.patch):
        raise UserError(
            f"Patch {list(config.data.patch)} does not fit the network: each size must be a "
            f"multiple of {multiple} from {least} to 256."
        )
    if len(config.optimization.class_weights) not in (0, 3):
        raise UserError(
            f"Setting class_weights in [optimization] has "
            f"{len(config.optimization.class_weights)} values: give three, or none."
        )
    _check_gate(config.method)
    if config.network.takes_clicks and not config.method.click_kinds:
        raise UserError(
            "Setting click_kinds in [method] is empty: give at least one kind of click."
        )
    _check_options("transforms", config.transforms, config.method.transform)
    _check_options("losses", config.losses, (config.method.segmentation_loss,))


def _check_gate(method: MethodConfig) -> None:
    """The decoder's gate keeps no gradient of the encoder by domain: no part of it could decide."""
    finer = {"gate_unit": "network", "conflict_projection": "none"}
    for name, usual in finer.items():
        value = getattr(method, name)
        if method.gate_scope != "all" and value != usual:
            raise UserError(
                f"Setting {name} in [method] is {value}, which needs the gradients of all weights: "
                f'set gate_scope to "all", or {name} to "{usual}".'
            )


def _check_options(section: str, tables: Mapping[str, Any], used: Sequence[str]) -> None:
    """Refuse options of what is not used: a typo in the table's name would do nothing."""
    for name, options in tables.items():
        if name not in used:
            raise UserError(
                f"The table [{section}.{name}] is of none of the {section} that [method] names: "
                f"use one of {', '.join(used)}, or leave it out."
            )
        if not isinstance(options, Mapping):
            raise UserError(
                f"Setting {name} in [{section}] is {options!r:.80}: give a table of options, "
                f"[{section}.{name}]."
            )
