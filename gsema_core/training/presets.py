"""Named methods: what each row of the paper's ablation, and each literal reading, sets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gsema_core import plugins
from gsema_core.configuration.toml_files import read_toml
from gsema_core.errors import UserError
from gsema_core.training.config_sections import MethodConfig

NO_CONTRAST: dict[str, Any] = {"volume_contrast": False, "boundary_contrast": False}

_STUDENT: dict[str, Any] = {
    "alpha_aligned": 0.0,
    "alpha_conflict": 0.0,
    "consistency_weight": 0.0,
    **NO_CONTRAST,
}

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    # The paper's text: the teacher follows where gradients agree, and only there.
    # Its learning rate falls to a tenth every tenth of the run, as 100 epochs of it did.
    "paper": {
        "method": {"alpha_aligned": 0.9, "alpha_conflict": 1.0},
        "optimization": {"learning_rate": 1e-3, "schedule": "step", "warmup_steps": 0},
    },
    # The paper's method with this program's learning rates: nothing but the settings' defaults.
    "default": {},
    # Conflicts slow the teacher instead of stopping it.
    "paper_soft": {"method": {"alpha_aligned": 0.9, "alpha_conflict": 0.9999}},
    # What the authors' published training does, as far as this project has it.
    "code": {
        "method": {
            "alpha_aligned": 0.9,
            "alpha_conflict": 0.999,
            "conflict_warmup": True,
            "similarity": "sign_cosine",
            "volume_contrast": False,
            "boundary_magnitude": True,
            "transform": ["gin"],
        },
        "optimization": {
            "optimizer": "adam",
            "learning_rate": 1e-4,
            "schedule": "constant",
            "warmup_steps": 0,
            "clip_norm": 0.0,
        },
    },
    # Tarvainen and Valpola's, NeurIPS 2017: 0.999 in every step, no gate and no contrast. The
    # ablation's row "EMA" is another: there the coefficient is that of the gated rows.
    "mean_teacher": {
        "method": {
            "alpha_aligned": 0.999,
            "alpha_conflict": 0.999,
            "conflict_warmup": True,
            **NO_CONTRAST,
        }
    },
    # Algorithm 1 as printed, its condition being the opposite of the text: the teacher follows
    # in conflict, and is warmed up there.
    "algorithm1": {
        "method": {"alpha_aligned": 1.0, "alpha_conflict": 0.9, "conflict_warmup": True}
    },
    # The ablation's row "no EMA": the teacher is the student, and nothing is contrasted.
    "no_ema": {"method": _STUDENT},
    # The paper's rivals, without an average of weights or a contrast.
    # VASeg is a supervised U-Net whose aneurysms weigh 0.8 and the rest 0.2.
    "vaseg": {
        "method": {**_STUDENT, "transform": ["none"]},
        "optimization": {"class_weights": [0.2, 0.2, 0.8]},
    },
    # FedDG: amplitudes of other centers' patches, on pooled data.
    "feddg": {"method": {**_STUDENT, "transform": ["amplitude_mix"]}},
    # CMDG: two views by random networks that must agree; its public training weighs that by 10.
    "cmdg": {"method": {**_STUDENT, "transform": ["gin_ipa"], "consistency_weight": 10.0}},
}
"""Methods by name: the settings in which each differs from the defaults, by section."""


def preset_tables(name: Any) -> Mapping[str, Mapping[str, Any]]:
    """What a preset sets, by section: one of ``PRESETS``, or a mapping from outside.

    Raises:
        UserError: there is none of that name, or it is no mapping of mappings.
    """
    if not isinstance(name, str):
        raise UserError(f"The preset is {name!r:.80}: give its name.")
    tables = PRESETS[name] if name in PRESETS else plugins.find(name, "preset", sorted(PRESETS))
    if not isinstance(tables, Mapping) or not all(
        isinstance(values, Mapping) for values in tables.values()
    ):
        raise UserError(
            f"The preset {name} is {tables!r:.80}: it must be a mapping of sections, each a "
            "mapping of settings."
        )
    return tables


def with_preset_file(tables: Mapping[str, Any], folder: Path = Path()) -> dict[str, Any]:
    """The tables of a configuration, on top of those of the TOML file that its preset names.

    Args:
        tables: where ``preset`` is no path of a ``.toml`` file, they stay as they are.
        folder: where relative paths start.

    Raises:
        UserError: that file cannot be used, or names a file in turn.
    """
    name = tables.get("preset")
    if not isinstance(name, str) or not _is_file(name):
        return dict(tables)
    path = folder / name
    below = read_toml(path)
    if _is_file(below.get("preset")):
        raise UserError(f"The preset {path} names the file {below['preset']}: name a preset there.")
    if plugins.outside_names(below):
        plugins.make_importable(path.parent)
    above = {section: values for section, values in tables.items() if section != "preset"}
    return {"preset": "paper", **merged(below, above)}


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two configurations' tables as one, tables within tables too; those of ``above`` win."""
    both: dict[str, Any] = dict(below)
    for name, value in above.items():
        own = both.get(name)
        if isinstance(own, Mapping) and isinstance(value, Mapping):
            value = merged(own, value)
        both[name] = value
    return both


def overridden(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``merged``, without options in ``below`` of what ``above`` replaced."""
    both = merged(below, above)
    method, network = _table(both, "method"), _table(both, "network")
    transforms = method.get("transform", MethodConfig.transform)
    used = {
        "transforms": transforms if isinstance(transforms, list | tuple) else (),
        "losses": (method.get("segmentation_loss", MethodConfig.segmentation_loss),),
    }
    for section, names in used.items():
        options = _table(both, section)
        kept = {n: options[n] for n in options if n in names or n in _table(above, section)}
        if len(kept) < len(options):
            both[section] = kept
    if network.get("kind") != _table(below, "network").get("kind") and "options" in network:
        options = _table(above, "network").get("options", {})
        both["network"] = {**network, "options": options}
    return both


def _table(tables: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    """A section; an empty one where it is none, which building it will tell."""
    values = tables.get(section)
    return values if isinstance(values, Mapping) else {}


def _is_file(name: Any) -> bool:
    return isinstance(name, str) and name.endswith(".toml")
