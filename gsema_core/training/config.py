"""Everything that a training run is: frozen dataclasses, presets, TOML. No torch here.

Each field carries its help in its metadata, so that panels and docs show the same words.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from gsema_core.errors import UserError
from gsema_core.networks.network_config import NetworkConfig
from gsema_core.training.checks import check_values
from gsema_core.training.presets import PRESETS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MANY_DOTS = re.compile(r"(?:\.\s*[\w\"'-]+\s*){50}")
"""A key of fifty parts; reading keys of thousands takes minutes."""


def _setting(default: Any, help: str, unit: str = "") -> Any:
    return field(default=default, metadata={"help": help, "unit": unit})


@dataclass(frozen=True)
class MethodConfig:
    """GS-EMA and BACL: the paper's choices unless the help says otherwise."""

    alpha_aligned: float = _setting(0.9, "EMA coefficient where the domains' gradients agree.")
    alpha_conflict: float = _setting(
        1.0, "EMA coefficient where they conflict; 1 leaves the teacher as it is."
    )
    similarity: str = _setting("cosine", "How gradients are compared: cosine or sign_cosine.")
    alpha_warmup: bool = _setting(
        True, "Average less in the first steps of a run that starts from no teacher (ours)."
    )
    conflict_warmup: bool = _setting(
        False, "The warm-up is for steps in conflict too: where no gate is meant, or as code does."
    )
    supervised_weight: float = _setting(0.25, "Weight of the segmentation losses (lambda 1).")
    contrastive_weight: float = _setting(0.5, "Weight of the contrastive losses (lambda 2).")
    volume_contrast: bool = _setting(True, "Contrast whole latents (BACL-V).")
    boundary_contrast: bool = _setting(True, "Contrast the latents' boundaries (BACL-B).")
    boundary_cutoff: float = _setting(
        0.25, "Frequencies below this share of the axis are removed for boundaries (ours)."
    )
    boundary_magnitude: bool = _setting(False, "Use magnitudes of boundary maps, as code does.")
    temperature: float = _setting(1.0, "Temperature of the contrastive loss (the paper has none).")
    consistency_weight: float = _setting(
        0.0, "Weight of the agreement of predictions on two random views of a patch (CMDG's)."
    )
    transform: tuple[str, ...] = _setting(("paper",), "Source to target transforms, in order.")


@dataclass(frozen=True)
class DataConfig:
    """What is trained on."""

    datalist: Path = _setting(Path(), "JSON file that lists image, label, patient and center.")
    centers: tuple[str, ...] = _setting((), "Centers to train on; empty means all of the list.")
    description: str = _setting("", "What the scans are, for the teacher's card; no names.")
    validation_share: float = _setting(
        0.12, "Share of each center's patients kept out for choosing the teacher (ours)."
    )
    spacing_mm: float = _setting(0.5, "Working voxel size, isotropic (ours).", "mm")
    patch: tuple[int, int, int] = _setting((96, 96, 96), "Patch size, also the window.", "voxels")
    aneurysm_share: float = _setting(
        0.7, "Share of patches that are centered near an aneurysm (ours)."
    )
    low_percentile: float = _setting(1.0, "Intensities below become 0 (ours).", "%")
    high_percentile: float = _setting(99.99, "Intensities above become 1 (ours).", "%")
    random_orientation: bool = _setting(
        True, "Flip and permute the axes of source patches: a patient may lie anyhow (ours)."
    )
    cache: Path = _setting(
        Path(), "Folder of prepared cases, may be shared by runs; empty: in the run's output."
    )
    workers: int = _setting(1, "Processes that prepare patches; 0 prepares them in line.")
    replay_share: float = _setting(
        0.0, "Share of patches from phantoms, against forgetting; 0 makes no phantoms (ours)."
    )
    replay_cases: int = _setting(8, "Phantoms with random scanners that are replayed (ours).")


@dataclass(frozen=True)
class OptimizationConfig:
    """How the student learns."""

    optimizer: str = _setting("adamw", "adamw or adam.")
    learning_rate: float = _setting(3e-4, "Highest learning rate (ours; the paper: 1e-3).")
    schedule: str = _setting(
        "cosine", "cosine, constant or step (times 0.1 every tenth of the run, as the paper)."
    )
    warmup_steps: int = _setting(100, "Steps of linear warm-up of the learning rate (ours).")
    weight_decay: float = _setting(1e-2, "Decoupled weight decay of adamw (PyTorch's default).")
    clip_norm: float = _setting(12.0, "Gradients longer than this are shortened; 0 is off (ours).")
    class_weights: tuple[float, ...] = _setting(
        (), "Cross-entropy weights of background, vessel, aneurysm; empty means equal."
    )
    dice_smoothing: float = _setting(
        1e-5,
        "Voxels added above and below in Dice: more of them punish false aneurysms in patches "
        "without one, but hide small ones from a young network (MONAI's default: 1e-5).",
        "voxels",
    )


@dataclass(frozen=True)
class RunConfig:
    """How long, where and how often something is written."""

    output: Path = _setting(Path(), "Folder for checkpoints, logs and the teacher.")
    name: str = _setting("local", "Name of the teacher that comes out.")
    license: str = _setting("unstated", "License of the teacher that comes out.")
    initial_teacher: str = _setting("", "Teacher to start from: a name or file; empty: scratch.")
    steps: int = _setting(5000, "Optimizer steps.")
    minutes: float = _setting(
        0.0, "Time for training steps; the run ends with its steps or this; 0 is no limit.", "min"
    )
    patience: int = _setting(
        0, "Validations in a row without a better teacher that end the run; 0 never ends it."
    )
    batch_size: int = _setting(1, "Source patches a step; each gets one target patch.")
    accumulate: int = _setting(1, "Batches whose gradients are added before a step.")
    seed: int = _setting(0, "Seed of weights, patches and transforms.")
    device: str = _setting("auto", "auto, cpu, cuda or cuda:N.")
    precision: str = _setting(
        "auto",
        "bf16, fp16 (with a scaled loss), fp32 or auto: bf16 where the device has it, else fp32.",
    )
    threads: int = _setting(0, "CPU threads; 0 lets PyTorch choose.")
    log_every: int = _setting(20, "Steps between log lines.")
    validate_every: int = _setting(500, "Steps between validations.")
    checkpoint_every: int = _setting(
        250, "Steps between resumable checkpoints; five minutes of steps are saved anyway."
    )


@dataclass(frozen=True)
class TrainingConfig:
    """One training run. ``TrainingConfig.preset("paper", datalist=..., output=...)`` makes one."""

    data: DataConfig = field(default_factory=DataConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    method: MethodConfig = field(default_factory=MethodConfig)
    optimization: OptimizationConfig = field(default_factory=OptimizationConfig)
    run: RunConfig = field(default_factory=RunConfig)
    preset_name: str = "default"

    def __post_init__(self) -> None:
        check_values(self)

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
        """Build from nested dictionaries (TOML's); strict about names and types."""
        tables = dict(tables)
        name = tables.pop("preset", "paper")
        if not isinstance(name, str) or name not in PRESETS:
            raise UserError(f"Unknown preset {name!r}: use one of {', '.join(sorted(PRESETS))}.")
        sections: dict[str, Any] = {}
        types = {each.name: each for each in fields(cls) if each.name != "preset_name"}
        unknown = set(tables) - set(types)
        if unknown:
            raise UserError(
                f"Unknown section {sorted(unknown)[0]!r} in the training configuration: use "
                f"preset, {', '.join(types)}."
            )
        hints = get_type_hints(cls)
        for section in types:
            values = {**PRESETS[name].get(section, {}), **_table(section, tables.get(section, {}))}
            sections[section] = _build(hints[section], section, values)
        return cls(**sections, preset_name=name)

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
        tables = asdict(self)
        tables["preset"] = tables.pop("preset_name")
        plain: dict[str, Any] = _plain(tables)
        return plain


def read_toml(path: Path) -> dict[str, Any]:
    """A configuration's tables as they are written.

    Raises:
        UserError: the file is missing, unreadable or no TOML.
    """
    try:
        # Windows' editors put a byte order mark in front, which TOML does not know.
        text = path.read_text(encoding="utf-8-sig")
        if _MANY_DOTS.search(text):
            raise UserError(f"The configuration {path} nests tables too deeply: three levels do.")
        return tomllib.loads(text)
    except FileNotFoundError as error:
        raise UserError(f"The training configuration {path} does not exist.") from error
    except UserError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"The configuration {path} cannot be read: {error}.") from error


def _table(section: str, values: Any) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise UserError(f"Section {section!r} is {values!r}: make it a table, [{section}].")
    return values


def _build(kind: type, section: str, values: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    unknown = set(values) - set(hints)
    if unknown:
        raise UserError(
            f"Unknown setting {sorted(unknown)[0]!r} in [{section}]: use one of "
            f"{', '.join(each.name for each in fields(kind))}."
        )
    return kind(**{key: _typed(section, key, hints[key], each) for key, each in values.items()})


def _typed(section: str, key: str, hint: Any, value: Any) -> Any:
    """Give a TOML value the field's type, or say what was expected."""
    expected = getattr(hint, "__name__", str(hint))
    if hint is Path and isinstance(value, str | Path):
        return Path(value)
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if hint in (int, str, bool) and type(value) is hint:
        return value
    if getattr(hint, "__origin__", None) is tuple and isinstance(value, list | tuple):
        element, expected = hint.__args__[0], f"a list of {hint.__args__[0].__name__}"
        count = None if hint.__args__[-1] is Ellipsis else len(hint.__args__)
        if count is None or len(value) == count:
            return tuple(_typed(section, key, element, each) for each in value)
        expected += f" with {count} values"
    raise UserError(f"Setting {key} in [{section}] is {value!r}: give {expected}.")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value
