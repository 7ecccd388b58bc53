from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gsema_core.datasets import Split, find_cases, read_datalist, split_by_patient
from gsema_core.training import TrainingConfig
from gsema_core.training.memory_fallback import Fit
from gsema_core.training.presets import PRESETS
from gsema_core.training.run_record import is_simulated, write_cases, write_config
from gsema_core.version import __version__


@pytest.fixture
def config(make_tiny) -> TrainingConfig:
    config = make_tiny(run={"name": "first"}, data={"description": 'ours "quoted"'})
    config.run.output.mkdir()
    return config


def split_of(config: TrainingConfig) -> Split:
    data = config.data
    return split_by_patient(
        find_cases(data.datalist), data.centers, data.validation_share, config.run.seed
    )


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_reading_the_settings_back_gives_the_same_run(preset, config):
    config = TrainingConfig.preset(
        preset,
        datalist=config.data.datalist,
        output=config.run.output,
        data={"cache": str(config.run.output / "cache"), "centers": ["A", "B"]},
        optimization={"class_weights": [0.1, 0.2, 0.7], "dice_smoothing": 1e-8},
        run={"minutes": 0.5, "initial_teacher": "default"},
    )
    path = write_config(config)
    assert path == config.run.output / "config.toml"
    assert TrainingConfig.from_toml(path) == config
    assert f"# gsema {__version__}" in path.read_text()


def test_the_settings_move_with_the_folder(config, tmp_path):
    """The panel's runs have their list in the folder."""
    inside = replace(
        config, data=replace(config.data, datalist=config.run.output / "datalist.json")
    )
    write_config(inside)
    moved = config.run.output.rename(tmp_path / "moved")
    read = TrainingConfig.from_toml(moved / "config.toml")
    assert (read.run.output, read.data.datalist) == (moved, moved / "datalist.json")


def test_a_file_of_somebody_else_stays_as_it_is(config):
    own = config.run.output / "config.toml"
    own.write_text("# Do not lose this.\n")
    for _ in range(2):
        path = write_config(config)
        assert path.name == "config-used.toml"
        assert TrainingConfig.from_toml(path) == config
    assert own.read_text() == "# Do not lose this.\n"


def test_a_run_writes_its_own_settings_anew(config):
    write_config(config)
    longer = replace(config, run=replace(config.run, steps=77))
    path = write_config(longer, Fit(1, 1, (8, 8, 8)))
    assert TrainingConfig.from_toml(path) == longer
    assert "memory was too small: this run goes on with" in path.read_text()
    assert [each.name for each in config.run.output.iterdir()] == ["config.toml"]


def test_parts_from_outside_are_found_again(config, tmp_path, monkeypatch):
    module = tmp_path / "shelf" / "my_ring.py"
    module.parent.mkdir()
    module.write_text("def Ring():\n    return lambda image, labels, generator: (image, labels)\n")
    monkeypatch.syspath_prepend(str(module.parent))
    __import__("my_ring")
    outside = replace(config, method=replace(config.method, transform=("my_ring:Ring",)))
    assert f"# The module my_ring was imported from {module}." in write_config(outside).read_text()
    del sys.modules["my_ring"]


def test_the_cases_are_listed_with_their_use(config):
    path = write_cases(config, split_of(config).listed)
    listed = read_datalist(path)
    assert [case.image for case in listed] == [
        case.image for case in find_cases(config.data.datalist)
    ]
    assert sorted(case.use for case in listed) == ["training"] * 6 + ["validation"] * 2
    used = replace(config, data=replace(config.data, datalist=path, validation_share=0.5))
    again = split_of(used)
    assert [case.image for case in again.validation] == [
        case.image for case in split_of(config).validation
    ]
    assert json.loads(path.read_text())["description"].endswith(
        f'(gsema {__version__}). ours "quoted"'
    )


def test_a_list_of_somebody_else_in_the_folder_stays_as_it_is(config):
    own = config.run.output / "datalist.json"
    own.write_text(config.data.datalist.read_text())
    before = own.read_text()
    path = write_cases(config, split_of(config).listed)
    assert path.name == "datalist-used.json" and own.read_text() == before


def test_a_list_that_is_the_record_already_is_not_written_again(config):
    """As in a folder of the training panel, which says what every case is for, tests too."""
    first = write_cases(config, split_of(config).listed)
    document = json.loads(first.read_text())
    document["description"] = ""
    document["cases"][0]["use"] = "test"
    first.write_text(json.dumps(document))
    inside = replace(config, data=replace(config.data, datalist=first))
    assert write_cases(inside, split_of(inside).listed) == first
    assert json.loads(first.read_text()) == document
    assert [each.name for each in config.run.output.iterdir()] == ["datalist.json"]


def test_what_a_run_reads_is_never_written_over(config):
    """A record that the user reads again, for one of its centers."""
    first = write_cases(config, split_of(config).listed)
    before = first.read_text()
    one = replace(config, data=replace(config.data, datalist=first, centers=("A",)))
    path = write_cases(one, split_of(one).listed)
    assert path.name == "datalist-used.json" and first.read_text() == before
    assert {case.center for case in read_datalist(path)} == {"A"}
    assert json.loads(path.read_text())["description"].count("as used by") == 1


@pytest.mark.parametrize("where", ["list", "settings", ""])
def test_simulated_scans_are_known_by_list_or_settings(config, tmp_path, where):
    path = tmp_path / "list.json"
    text = "Simulated angiography." if where == "list" else "Scans of 2020."
    path.write_text(json.dumps({"description": text, "cases": []}))
    described = "simulated" if where == "settings" else ""
    data = replace(config.data, datalist=path, description=described)
    assert is_simulated(replace(config, data=data)) == bool(where)


def test_where_dicom_files_lie_is_not_told(config, monkeypatch):
    """A folder of DICOM files is often named after the patient."""
    listed = split_of(config).listed
    named = Path("/scans/Doe^Jane/series")
    monkeypatch.setattr(
        "gsema_core.training.run_record.neutral_name",
        lambda path: "dicom_0123" if path == named else None,
    )
    cases = [replace(listed[0], image=named, label=named.parent / "label.nrrd"), *listed[1:]]
    path = write_cases(config, cases)
    assert "Doe" not in path.read_text() and "without their place" in path.read_text()
    first = read_datalist(path, check_files=False)[0]
    assert (first.image.name, first.label.name) == ("dicom_0123", "dicom_0123-label")
