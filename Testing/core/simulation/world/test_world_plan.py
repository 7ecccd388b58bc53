"""The plan says exactly how many scans of each kind there are."""

from __future__ import annotations

from collections import Counter

from gsema_core.simulation.manifest import read_manifest
from gsema_core.simulation.world.world_plan import SHARES, plan_world


def test_every_patient_kind_and_model_has_its_share(trees):
    scans = plan_world(read_manifest(trees), 101, seed=3)
    assert sorted(Counter(scan.patient for scan in scans).values()) == [50, 51]
    for kind, share in SHARES.items():
        assert abs(sum(scan.kind == kind for scan in scans) - 101 * share) <= 1
        for patient in ("one", "two"):
            own = [scan for scan in scans if scan.patient == patient]
            assert abs(sum(scan.kind == kind for scan in own) - len(own) * share) <= 2
        by_cone = [scan.model == "cone_beam" for scan in scans if scan.kind == kind]
        assert abs(sum(by_cone) - len(by_cone) / 2) <= 0.5
    assert len({scan.stem for scan in scans}) == len({scan.seed for scan in scans}) == 101
    # Four of a patient follow each other, then it is the other's turn.
    turns = [{scan.patient for scan in scans[first : first + 4]} for first in range(0, 16, 4)]
    assert turns[0] == turns[2] and turns[1] == turns[3] and len(turns[0] | turns[1]) == 2


def test_the_plan_comes_from_the_seed_and_keeps_its_beginning(trees):
    cases = read_manifest(trees)
    assert plan_world(cases, 20, 0) == plan_world(cases, 20, 0)
    assert {s.seed for s in plan_world(cases, 20, 0)}.isdisjoint(
        s.seed for s in plan_world(cases, 20, 1)
    )
    assert {scan.model for scan in plan_world(cases, 20, 0, cone_beam=0.0)} == {"light"}
    assert all(scan.neck_rule for scan in plan_world(cases, 4, 0, neck_rule=True))
    used = plan_world(cases, 4, 0, uses={"one": "test"})
    assert {(scan.patient, scan.use) for scan in used} == {("one", "test"), ("two", "")}
