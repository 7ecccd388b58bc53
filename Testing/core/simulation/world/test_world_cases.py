"""``gsema simulate --world``: scans of whole artery trees, from a seed and a manifest."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import numpy as np
import pytest

from gsema_core.commands import simulate
from gsema_core.errors import UserError
from gsema_core.files import read_labels, read_volume
from gsema_core.grids import Geometry
from gsema_core.grids.components import connected_components
from gsema_core.simulation.case_folder import NotDrawn
from gsema_core.simulation.manifest import read_manifest
from gsema_core.simulation.trees.artery_tree import ArteryTree
from gsema_core.simulation.world import world_cases
from gsema_core.simulation.world.anatomy import draw_anatomy, seen_sacs
from gsema_core.simulation.world.world_plan import plan_world
from gsema_core.simulation.world.world_scan import make_scan


def gsema_simulate(*words: object) -> int:
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    return simulate.run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def scans(trees):
    """One with the patient's own aneurysm and one without any."""
    shares = {"real": 0.5, "none": 0.5, "transplant": 0.0}
    return plan_world(read_manifest(trees)[:1], 2, 0, cone_beam=0.0, shares=shares)


def test_a_scan_shows_what_the_plan_says(scans, artery_tree, coarse):
    for scan in scans:
        made = make_scan(artery_tree, scan)
        values = set(np.unique(made.labels.array).tolist())
        assert values == ({0, 1, 2} if scan.kind == "real" else {0, 1})
        assert len(made.record["sacs"]) == (scan.kind == "real")
        assert made.image.geometry.is_close(made.labels.geometry)
        lumen, rest = made.image.array[made.labels.array > 0], made.image.array
        assert lumen.mean() > np.percentile(rest, 90)
        assert json.loads(json.dumps(made.record)) == made.record


def test_the_seed_gives_the_same_voxels(scans, artery_tree, coarse):
    one, again = (make_scan(artery_tree, scans[0]) for _ in range(2))
    assert np.array_equal(one.image.array, again.image.array)
    other = make_scan(artery_tree, replace(scans[0], seed=5))
    assert other.image.array.shape != one.image.array.shape


def test_an_aneurysm_is_erased_without_cutting_the_artery(artery_tree):
    erased = 0
    for seed in range(40):
        anatomy = draw_anatomy(artery_tree, "none", np.random.default_rng(seed))
        if anatomy is None:
            continue
        shown = [number for number in seen_sacs(anatomy) if number not in anatomy.erased]
        assert not shown
        if anatomy.erased:
            erased += 1
            lumen = anatomy.labels > 0
            assert connected_components(lumen)[1] == connected_components(artery_tree.labels > 0)[1]
    assert erased > 0


def test_no_artery_is_cut_by_erasing_a_widening_of_it():
    labels = np.zeros((60, 24, 24), np.uint8)
    labels[:, 10:14, 10:14] = 1
    labels[26:34, 9:15, 9:15] = 2
    tree = ArteryTree(labels, Geometry((24, 24, 60), (0.8,) * 3))
    drawn = [draw_anatomy(tree, "none", np.random.default_rng(seed)) for seed in range(30)]
    assert all(anatomy is None or not anatomy.erased for anatomy in drawn)


def test_the_command_goes_on_where_it_was_interrupted(trees, tmp_path, coarse, capsys):
    output = tmp_path / "out"
    words = (trees, "--world", 4, "--model", "light", "--output", output)
    words += ("--test-patients", "two")
    gsema_simulate(*words, "--limit", 1)
    capsys.readouterr()
    gsema_simulate(*words)
    said = capsys.readouterr().err
    assert "4 cases, 1 already there" in said
    assert "2 patients: " in said
    cases = json.loads((output / "datalist.json").read_text())["cases"]
    assert [case["patient"] for case in cases] == ["one", "one", "two", "two"]
    assert {case["patient"]: case.get("use") for case in cases} == {"one": None, "two": "test"}
    for case in cases:
        labels = read_labels(output / case["label"])
        assert read_volume(output / case["image"]).geometry.is_close(labels.geometry)
    record = json.loads((output / "records" / "one-world001.json").read_text())
    assert {"field", "injection", "protocol", "sacs", "changes", "kind", "key"} <= set(record)


def test_a_scan_that_cannot_be_drawn_stops_no_other(trees, tmp_path, monkeypatch, scans, phantoms):
    def make(scan, donors):
        if scan.kind == "none":
            raise NotDrawn("No place was found: look elsewhere.")
        return world_cases.Made(phantoms[0], phantoms[0], {})

    monkeypatch.setattr(world_cases, "_make", make)
    with pytest.raises(UserError, match=r"1 of 2 cases could not be made\. No place"):
        world_cases.make_world(scans, tmp_path / "out", quiet=True)
    assert len(list((tmp_path / "out" / "images").iterdir())) == 1


def test_a_tree_without_an_aneurysm_is_told(scans, artery_tree):
    labels = np.where(artery_tree.labels == 2, 0, artery_tree.labels).astype(np.uint8)
    healthy = ArteryTree(labels, artery_tree.geometry, "one")
    real = next(scan for scan in scans if scan.kind == "real")
    with pytest.raises(NotDrawn, match="patient one has no aneurysm"):
        make_scan(healthy, real)


def test_errors_of_the_command_are_explained(trees, tmp_path):
    words = ("--world", 2, "--model", "light", "--output", tmp_path / "out")
    with pytest.raises(UserError, match="--world is 0"):
        gsema_simulate(trees, "--world", 0, "--output", tmp_path)
    with pytest.raises(UserError, match="--neck-rule belongs to --world"):
        gsema_simulate(trees, "--neck-rule", "--output", tmp_path)
    with pytest.raises(UserError, match="scanner of its own"):
        gsema_simulate(trees, *words, "--randomize")
    with pytest.raises(UserError, match="no patient 'tow' to be kept for test"):
        gsema_simulate(trees, *words, "--test-patients", "tow")
    with pytest.raises(UserError, match="for testing and for validation"):
        gsema_simulate(trees, *words, "--test-patients", "two", "--validation-patients", "two")
    assert not (tmp_path / "out").exists()
