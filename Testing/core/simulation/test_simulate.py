"""``gsema simulate``: manifests, phantoms, what it writes, and resuming."""

from __future__ import annotations

import argparse
import json
from functools import partial

import numpy as np
import pytest

from gsema_core.commands import simulate
from gsema_core.errors import UserError
from gsema_core.files import read_labels, read_volume, write_labels
from gsema_core.simulation import make_phantom, manifest, many_cases


def gsema_simulate(*words: object) -> int:
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    return simulate.run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def three_cases(tmp_path, sphere):
    """A manifest of three patients at two centers."""
    (tmp_path / "maps").mkdir()
    entries = []
    for patient, center in (("1", "D"), ("2", "D"), ("3", "B")):
        write_labels(sphere(), tmp_path / "maps" / f"{patient}.nrrd")
        entries.append({"patient": patient, "centre": center, "label": f"maps/{patient}.nrrd"})
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(entries))
    return path


def test_images_a_manifest(three_cases, tmp_path, capsys):
    output = tmp_path / "out"
    code = gsema_simulate(three_cases, "--output", output, "--model", "light")
    assert code == 0
    datalist = json.loads((output / "datalist.json").read_text())
    assert [(case["patient"], case["center"]) for case in datalist["cases"]] == [
        ("1", "D"), ("2", "D"), ("3", "B"),
    ]  # fmt: skip
    for case in datalist["cases"]:
        image, labels = read_volume(output / case["image"]), read_labels(output / case["label"])
        assert image.geometry.is_close(labels.geometry)
        lumen, rest = image.array[labels.array > 0], image.array[labels.array == 0]
        assert lumen.mean() > rest.mean() + 3 * rest.std()
    assert "3/3" in capsys.readouterr().err


def test_skips_what_is_finished_and_redoes_what_changed(three_cases, tmp_path, sphere, capsys):
    output = tmp_path / "out"
    arguments = (three_cases, "--output", output, "--model", "light")
    gsema_simulate(*arguments, "--centers", "D")
    first = {path.name: path.stat().st_mtime_ns for path in (output / "images").iterdir()}
    assert set(first) == {"1.nrrd", "2.nrrd"}

    changed = sphere()
    changed.array[:20] = 0
    write_labels(changed, tmp_path / "maps" / "2.nrrd")
    (output / "labels" / "1.nrrd").unlink()
    capsys.readouterr()
    gsema_simulate(*arguments, "--patients", "1,2")
    second = {path.name: path.stat().st_mtime_ns for path in (output / "images").iterdir()}
    assert second["1.nrrd"] > first["1.nrrd"]
    assert second["2.nrrd"] > first["2.nrrd"]

    gsema_simulate(*arguments)
    third = {path.name: path.stat().st_mtime_ns for path in (output / "images").iterdir()}
    assert "2 already there" in capsys.readouterr().err
    assert {name: third[name] for name in second} == second
    assert set(third) == {"1.nrrd", "2.nrrd", "3.nrrd"}


def test_a_broken_record_is_made_again(three_cases, tmp_path):
    output = tmp_path / "out"
    arguments = (three_cases, "--output", output, "--model", "light")
    gsema_simulate(*arguments)
    (output / "records" / "1.json").write_text("{")
    (output / "images" / "2.nrrd").unlink()
    gsema_simulate(*arguments, "--patients", "3")
    listed = json.loads((output / "datalist.json").read_text())["cases"]
    assert [case["patient"] for case in listed] == ["3"]
    gsema_simulate(*arguments)
    listed = json.loads((output / "datalist.json").read_text())["cases"]
    assert [case["patient"] for case in listed] == ["1", "2", "3"]


def test_a_new_version_of_the_model_invalidates_the_cache(three_cases, monkeypatch):
    case = manifest.read_manifest(three_cases)[0]
    before = case.key("light")
    assert case.key("light") == before
    assert case.key("cone_beam") != before
    monkeypatch.setattr(many_cases, "VERSION", many_cases.VERSION + 1)
    assert case.key("light") != before


def test_phantoms_need_no_manifest(tmp_path, monkeypatch):
    small = partial(make_phantom, size_mm=24.0, spacing_mm=0.6)
    monkeypatch.setattr(many_cases, "make_phantom", small)
    output = tmp_path / "out"
    gsema_simulate("--phantoms", 2, "--seed", 4, "--randomize", "--model", "light",
                   "--output", output)  # fmt: skip
    cases = json.loads((output / "datalist.json").read_text())["cases"]
    assert [case["patient"] for case in cases] == ["phantom-00004", "phantom-00005"]
    assert {case["center"] for case in cases} == {"random"}
    images = [read_volume(output / case["image"]) for case in cases]
    assert images[0].geometry.spacing != images[1].geometry.spacing
    assert all(2 in np.unique(read_labels(output / case["label"]).array) for case in cases)


def test_patients_are_imaged_by_several_random_scanners(three_cases, tmp_path):
    output = tmp_path / "out"
    gsema_simulate(three_cases, "--output", output, "--model", "light", "--limit", 1)
    gsema_simulate(three_cases, "--output", output, "--model", "light", "--patients", "1",
                   "--randomize", "--variants", 2)  # fmt: skip
    cases = json.loads((output / "datalist.json").read_text())["cases"]
    random = [case for case in cases if case["center"] == "random"]
    assert [case["patient"] for case in random] == ["1", "1"]
    one, two = (read_volume(output / case["image"]) for case in random)
    assert one.geometry.spacing != two.geometry.spacing
    assert len(cases) == 3  # the center's own image of the first run is still listed


def test_random_scanners_come_from_the_seed(three_cases):
    cases = manifest.read_manifest(three_cases)
    first, again, other = (manifest.randomize(cases, 2, seed) for seed in (0, 0, 1))
    assert first == again
    assert len({case.protocol.spacing_mm for case in first}) == len(first)
    assert all(a.protocol != b.protocol for a, b in zip(first, other, strict=True))


def test_patients_for_testing_stay_marked(three_cases, tmp_path):
    output = tmp_path / "out"
    arguments = (three_cases, "--output", output, "--model", "light")
    gsema_simulate(*arguments, "--test-patients", "2")
    gsema_simulate(*arguments)
    cases = json.loads((output / "datalist.json").read_text())["cases"]
    uses = {case["patient"]: case.get("use") for case in cases}
    assert uses == {"1": None, "2": "test", "3": None}


def test_a_mistyped_patient_for_testing_is_no_patient_for_training(tmp_path):
    words = ("--phantoms", 2, "--output", tmp_path / "out", "--test-patients", "phantom-0001")
    with pytest.raises(UserError, match="no patient 'phantom-0001' to be kept for test"):
        gsema_simulate(*words)
    assert not (tmp_path / "out").exists()


def test_phantoms_are_spread_over_the_centers():
    cases = manifest.phantom_cases(6, seed=10)
    assert [case.center for case in cases] == ["A", "B", "C", "D", "A", "B"]
    assert [case.seed for case in cases] == [10, 11, 12, 13, 14, 15]
    assert {case.center for case in manifest.phantom_cases(4, 0, ["B"])} == {"B"}


def test_two_processes_make_the_same_voxels(three_cases, tmp_path):
    for jobs in (1, 2):
        gsema_simulate(three_cases, "--output", tmp_path / f"out{jobs}", "--model", "light",
                       "--jobs", jobs, "--limit", 2)  # fmt: skip
    for name in ("1.nrrd", "3.nrrd"):  # centers take turns, B first
        one, two = (read_volume(tmp_path / f"out{jobs}" / "images" / name) for jobs in (1, 2))
        assert np.array_equal(one.array, two.array)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([{"patient": "1", "center": "Z", "label": "maps/1.nrrd"}], "no center 'Z'"),
        ([{"patient": "1", "center": "\ud800", "label": "maps/1.nrrd"}], r"no center '\\ud800'"),
        ([{"patient": "1", "center": "A", "label": "maps/9.nrrd"}], "does not exist"),
        ([{"patient": "../1", "center": "A", "label": "maps/1.nrrd"}], "no file name"),
        ([{"patient": 1, "center": "A", "label": "maps/1.nrrd"}], "patient 1"),
        ([{"patient": "1", "center": "A"}], "label None"),
        ([{"patient": "1", "center": "A", "label": "maps/1.nrrd"}] * 2, "twice"),
        (["1"], "entry"),
        ([], "no list of cases"),
        ({"cases": []}, "no list of cases"),
    ],
)
def test_manifest_errors_are_explained(three_cases, tmp_path, entries, message):
    three_cases.write_text(json.dumps(entries))
    output = tmp_path / "out"
    with pytest.raises(UserError, match=message):
        gsema_simulate(three_cases, "--output", output)
    assert not output.exists()


def test_other_errors_are_explained(three_cases, tmp_path):
    output = tmp_path / "out"
    with pytest.raises(UserError, match="does not exist"):
        gsema_simulate(tmp_path / "none.json", "--output", output)
    with pytest.raises(UserError, match="--phantoms"):
        gsema_simulate("--output", output)
    with pytest.raises(UserError, match="--randomize"):
        gsema_simulate("--phantoms", 1, "--output", output, "--randomize", "--centers", "A")
    with pytest.raises(UserError, match="--variants"):
        gsema_simulate(three_cases, "--output", output, "--variants", 2)
    with pytest.raises(UserError, match="--patients"):
        gsema_simulate("--phantoms", 1, "--output", output, "--patients", "1")
    with pytest.raises(UserError, match="--jobs is 0"):
        gsema_simulate(three_cases, "--output", output, "--jobs", 0)
    with pytest.raises(UserError, match="Patient 7 is not"):
        gsema_simulate(three_cases, "--output", output, "--patients", "7")
    with pytest.raises(UserError, match="no center 'Q'"):
        gsema_simulate(three_cases, "--output", output, "--centers", "Q")
    with pytest.raises(UserError, match="no case of those centers and patients"):
        gsema_simulate(three_cases, "--output", output, "--centers", "A")
    for broken in ("{", "[" * 100_000):
        three_cases.write_text(broken)
        with pytest.raises(UserError, match="not readable JSON"):
            gsema_simulate(three_cases, "--output", output)
    assert not output.exists()
    blocked = tmp_path / "file"
    blocked.write_text("")
    three_cases.write_text(json.dumps([{"patient": "1", "center": "A", "label": "maps/1.nrrd"}]))
    with pytest.raises(UserError, match=r"file/out.* cannot be made"):
        gsema_simulate(three_cases, "--output", blocked / "out")
