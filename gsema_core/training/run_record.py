"""What a run was made of, in its folder: all settings and all cases, as used."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gsema_core import plugins
from gsema_core.configuration.toml_files import toml_text
from gsema_core.datasets.datalist import Case, read_datalist, write_datalist
from gsema_core.errors import UserError
from gsema_core.files.dicom.neutral import neutral_name
from gsema_core.files.text_files import read_table, write_text
from gsema_core.training.config import TrainingConfig
from gsema_core.training.memory_fallback import Fit
from gsema_core.training.run_files import CONFIG, DATALIST, RECORD_MARK, record_head
from gsema_core.version import __version__

LIST_MARK = "Cases as used by a training run"
"""How the description of a datalist begins that a run wrote."""


def write_config(config: TrainingConfig, fit: Fit | None = None) -> Path:
    """Write all settings, so that reading the file gives the same configuration.

    A ``config.toml`` that somebody else put into the run's folder stays as it is; the settings are
    in ``config-used.toml`` then.

    Args:
        config: of the run.
        fit: the batch and patch that the memory allowed, where they are smaller.

    Raises:
        UserError: it could not be written.
    """
    folder = config.run.output
    path = folder / CONFIG
    if path.exists() and not _starts(path).startswith(RECORD_MARK):
        path = folder / "config-used.toml"
    tables = config.to_dict()
    tables["run"]["output"] = "."
    for name in ("datalist", "cache"):
        place: Path = getattr(config.data, name)
        if place != Path():
            tables["data"][name] = _from(folder, place)
    notes = [f"gsema {__version__}", *_outside(tables)]
    if fit is not None and fit != Fit.of(config):
        notes.append(f"The memory was too small: this run goes on with {fit}.")
    write_text(record_head(notes) + toml_text({"preset": tables.pop("preset"), **tables}), path)
    return path


def write_cases(config: TrainingConfig, listed: Sequence[Case]) -> Path:
    """Write the cases with their use; they keep their order, so a case's number is its place.

    Where the run reads just these from a list in its own folder, as the panel's does, that list is
    the record. One that says something else stays as it is, beside ``datalist-used.json``. Where
    DICOM files lie may name a patient: they are listed by their neutral names, without their place.

    Args:
        config: of the run.
        listed: the cases.

    Raises:
        UserError: it could not be written.
    """
    folder = config.run.output
    path = folder / DATALIST
    if path.exists() and not _is_own_list(path, config.data.datalist):
        if _holds(path, listed):
            return path
        path = folder / "datalist-used.json"
    cases = [_without_place(case, folder) for case in listed]
    where = "" if cases == list(listed) else ", DICOM files by neutral names without their place"
    about = f"{LIST_MARK} (gsema {__version__}{where})."
    write_datalist(cases, path, " ".join(filter(None, (about, _told(config)))))
    return path


def is_simulated(config: TrainingConfig) -> bool:
    """Whether the datalist or ``[data] description`` says that the scans are simulated."""
    return "simulated" in _told(config).lower()


def _from(folder: Path, place: Path) -> str:
    """Relative where it lies in the folder, which may move; else its whole path."""
    try:
        return place.absolute().relative_to(folder.absolute()).as_posix()
    except ValueError:
        return str(place.absolute())


def _outside(tables: dict[str, Any]) -> list[str]:
    """Where the modules lie that parts from outside come from."""
    modules = {name.split(":")[0] for name in plugins.outside_names(tables)}
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in sorted(modules)}
    return [f"The module {name} was imported from {file}." for name, file in files.items() if file]


def _starts(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline()
    except OSError:
        return ""


def _told(config: TrainingConfig) -> str:
    """What list and settings say of the scans; a list that a run wrote repeats what it was told."""
    listed = _description(config.data.datalist)
    if listed.startswith(LIST_MARK):
        listed = listed.partition("). ")[2]
    return " ".join(dict.fromkeys(filter(None, (listed, config.data.description))))


def _description(datalist: Path) -> str:
    """What a list says of itself; empty where there is no such list."""
    path = datalist / DATALIST if datalist.is_dir() else datalist
    told = (read_table(path) or {}).get("description", "")
    return told if isinstance(told, str) else ""


def _is_own_list(path: Path, asked: Path) -> bool:
    """Whether a run wrote this list, and this one does not read it."""
    asked = asked / DATALIST if asked.is_dir() else asked
    return _description(path).startswith(LIST_MARK) and path.resolve() != asked.resolve()


def _holds(path: Path, listed: Sequence[Case]) -> bool:
    try:
        return read_datalist(path, check_files=False) == list(listed)
    except UserError:
        return False


def _without_place(case: Case, folder: Path) -> Case:
    name = neutral_name(case.image)
    if name is None:
        return case
    return replace(case, image=folder / name, label=folder / f"{name}-label")
