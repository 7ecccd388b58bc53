"""The four centers differ; random scanners lie around them and are physical."""

from __future__ import annotations

import json

import numpy as np

from gsema_core.simulation.centers import CENTERS, random_protocol


def test_centers_differ_in_what_the_paper_names():
    protocols = list(CENTERS.values())
    assert list(CENTERS) == [protocol.name for protocol in protocols] == ["A", "B", "C", "D"]
    for quantity in ("spacing_mm", "hann_cut", "contrast_hu", "photons", "orientation", "views"):
        assert len({getattr(protocol, quantity) for protocol in protocols}) == 4, quantity
    assert {protocol.storage for protocol in protocols} == {"hounsfield", "unsigned12", "window8"}
    assert {protocol.subtracted for protocol in protocols} == {True, False}


def test_every_run_is_a_complete_short_scan():
    """Parker's weights need half a turn plus the fan."""
    for protocol in (*CENTERS.values(), *map(random_protocol, range(50))):
        fan = 2 * np.degrees(np.arcsin(46.0 / protocol.source_isocenter_mm))
        assert 180.0 + fan < protocol.arc_deg < 360.0, protocol.name


def test_random_protocols_lie_around_the_centers():
    draws = [random_protocol(seed) for seed in range(200)]
    assert draws[3] == random_protocol(3)
    assert len({draw.contrast_hu for draw in draws}) == 200
    for draw in draws:
        assert 0.25 <= draw.spacing_mm <= 0.55
        assert 0 < draw.hann_cut <= 1
        assert 60 <= draw.views <= 140
        assert draw.source_detector_mm > draw.source_isocenter_mm + 150
        assert draw.window_hu[0] < 0 < draw.window_hu[1]
        assert draw.subtracted or draw.mask_shift_mm == 0
    assert 60 < sum(draw.subtracted for draw in draws) < 140
    assert {draw.storage for draw in draws} == {"hounsfield", "unsigned12", "window8"}
    assert len({draw.orientation for draw in draws}) == 8


def test_protocols_go_into_json():
    for protocol in CENTERS.values():
        values = json.loads(json.dumps(protocol.to_dict()))
        assert values["views"] == protocol.views
        assert values["window_hu"] == list(protocol.window_hu)
