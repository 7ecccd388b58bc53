"""Everything that a training run is: frozen dataclasses, presets, TOML. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from gsema_core.configuration import build, check, plain
from gsema_core.configuration.toml_files import read_toml
from gsema_core.errors import UserError
from gsema_core.networks.network_config import NetworkConfig
from gsema_core.teachers.card import is_plain_name
from gsema_core.training.config_sections import (
    DataConfig,
    MethodConfig,
    OptimizationConfig,
    RunConfig,
)
from gsema_core.training.presets import PRESETS

DEEPEST_EDGE = 4
"""The fewest voxels along an edge of a patch's deepest map: measured with PyTorch 2.13 on CPUs,
bfloat16 convolutions of 2 x 2 x 2 maps read memory that nobody wrote and return nan gradients."""


@dataclass(frozen=True)
class TrainingConfig:
    """One training run; its sections are in ``config_sections``, and docs/settings.md lists all.

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
        sections = dict(tables)
        name = sections.pop("preset", "paper")
        if not isinstance(name, str) or name not in PRESETS:
            raise UserError(f"Unknown preset {name!r}: use one of {', '.join(sorted(PRESETS))}.")
        for section, values in PRESETS[name].items():
            own = sections.get(section, {})
            sections[section] = {**values, **own} if isinstance(own, Mapping) else own
        if "preset_name" in sections:
            raise UserError("Unknown setting preset_name of the training: use preset.")
        return build(cls, {**sections, "preset_name": name})

    @classmethod
    def from_toml(cls, path: str | Path) -> TrainingConfig:
        """Read ``gsema train``'s file; relative paths in it start at the file's folder."""
        path = Path(path)
        tables = read_toml(path)
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
