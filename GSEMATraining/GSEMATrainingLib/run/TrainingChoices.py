"""What is trained, and how: the choices of the panel as the training's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from gsema_core.configuration.toml_files import read_toml, toml_text
from gsema_core.errors import UserError
from gsema_core.files.text_files import write_text
from gsema_core.plugins import is_outside, outside_names
from gsema_core.teachers.card import is_plain_name
from gsema_core.teachers.registry import DEFAULT, find_teacher
from gsema_core.teachers.teacher_file import read_card
from gsema_core.training.config import TrainingConfig
from gsema_core.training.presets import with_preset_file
from gsema_core.training.run_files import CONFIG, record_head
from gsema_core.training.status import ENDLESS
from GSEMATrainingLib.ParameterNode import EPOCHS, MINUTES, MINUTES_OF_A_TRAINING, STEPS

SCRATCH = ""
"""Instead of a teacher's name: begin with a network that knows nothing."""

Tables = dict[str, dict[str, Any]]
"""Sections of a configuration: setting names to values."""

PANEL_SETTINGS: Tables = {
    # So that somebody who watches sees something every few seconds on a CPU; a validation of a few
    # cases takes less than 100 steps. Ours.
    "run": {"log_every": 5, "validate_every": 100, "checkpoint_every": 50},
}

FINE_TUNING: Tables = {
    # A short run on few scans; the paper's own schedule is for 100 epochs from scratch. Measured on
    # phantoms of a new center (docs/how-to/train.md).
    "optimization": {"schedule": "cosine", "warmup_steps": 10},
}


@dataclass(frozen=True)
class TrainingChoices:
    """One training.

    Attributes:
        teacher: what it starts from: a registered teacher's name, a file, or ``SCRATCH``.
        preset: the method's name.
        length: how long, in ``unit``.
        unit: minutes, steps or epochs (100 steps, where the settings say nothing else).
        replayShare: share of phantoms, 0 to 1.
        name: of the teacher that comes out.
        device: auto, cpu, cuda or cuda:N.
        settings: single settings that are not the method's own, by section.
    """

    teacher: str = DEFAULT
    preset: str = "paper"
    length: int = MINUTES_OF_A_TRAINING
    unit: str = MINUTES
    replayShare: float = 0.0
    name: str = "local"
    device: str = "auto"
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def tables(self) -> Tables:
        """The configuration's tables, without what the method has anyway.

        Raises:
            UserError: the teacher is missing or unusable, or a value makes no sense.
        """
        checkName(self.name)
        parts: list[Mapping[str, Mapping[str, Any]]] = [ownSettings(self.teacher), self.settings]
        parts.append({"data": {"replay_share": self.replayShare}} if self.replayShare else {})
        run: dict[str, Any] = {"name": self.name, "device": self.device}
        if self.teacher != SCRATCH:
            run["initial_teacher"] = str(self.teacher)
        tables = merged(*parts, {"run": run})
        tables["run"].update(self._length(tables))
        # Complains with a sentence; the places are not known yet.
        TrainingConfig.from_dict({"preset": self.preset, **tables})
        return tables

    def write(self, folder: Path, tables: Tables) -> Path:
        """Write ``config.toml``, which any ``gsema train`` understands, and return its path."""
        places = {"data": {"datalist": "datalist.json"}, "run": {"output": "."}}
        path = folder / CONFIG
        _write(path, self.preset, merged(tables, places))
        return path

    def _length(self, tables: Tables) -> dict[str, Any]:
        if self.unit == STEPS:
            return {"steps": self.length}
        if self.unit == EPOCHS:
            return {"steps": self.length * int(tables["run"]["validate_every"])}
        if self.unit == MINUTES:
            return {"minutes": float(self.length), "steps": ENDLESS}
        raise UserError(
            _("The unit {unit!r} is unknown: use steps, epochs or minutes.").format(unit=self.unit)
        )


def checkName(name: str) -> None:
    """Raise UserError unless a teacher may be called so."""
    if not is_plain_name(name):
        raise UserError(
            _("The name {name!r} is not plain: use letters, digits, spaces and . _ + -").format(
                name=name
            )
        )


def codeFromOutside(config: Path) -> list[str]:
    """What a configuration would have imported that is no part of this program.

    Raises:
        UserError: the configuration cannot be read.
    """
    return outside_names(with_preset_file(read_toml(config), config.parent))


def setDevice(config: Path, device: str) -> None:
    """Let a training that goes on do so on another device; a run may change it any time.

    Raises:
        UserError: the configuration cannot be read or written.
    """
    if read_toml(config).get("run", {}).get("device", "auto") != device:
        _change(config, {"run": {"device": device}})


def acceptLabels(config: Path) -> None:
    """Let a training begin although its labels look wrong.

    Raises:
        UserError: the configuration cannot be read or written.
    """
    _change(config, {"data": {"accept_labels": True}})


def _change(config: Path, changes: Tables) -> None:
    tables = read_toml(config)
    preset = str(tables.pop("preset", "paper"))
    _write(config, preset, merged(tables, changes))


def _write(path: Path, preset: str, tables: Tables) -> None:
    """The training completes the file with the settings that are not named in it."""
    write_text(record_head() + toml_text({"preset": preset, **tables}), path)


def ownSettings(teacher: str) -> Tables:
    """What differs from a preset for every training from the panel, and for one of a teacher.

    A teacher's network goes on with what it saw before: the same voxels, windows and intensities.

    Raises:
        UserError: there is no such teacher, or it cannot be used.
    """
    if teacher == SCRATCH:
        return merged(PANEL_SETTINGS)
    card = read_card(find_teacher(teacher))
    network = card.network_config()
    if is_outside(network.kind):
        # Whoever trains by a configuration has its network imported, and a file may not decide it.
        raise UserError(
            _(
                "The model {name} is of the network {network}, which is code from outside this "
                "program: train it by gsema train, with a configuration that names the network."
            ).format(name=card.name, network=network.kind)
        )
    rule = card.intensity_rule()
    data = {
        "spacing_mm": card.spacing_mm,
        "patch": list(card.window),
        "low_percentile": rule.low,
        "high_percentile": rule.high,
    }
    return merged(PANEL_SETTINGS, FINE_TUNING, {"data": data, "network": network.to_dict()})


def merged(*parts: Mapping[str, Mapping[str, Any]]) -> Tables:
    """The tables of all parts; later ones win."""
    tables: Tables = {}
    for part in parts:
        for section, values in part.items():
            tables.setdefault(section, {}).update(values)
    return tables
