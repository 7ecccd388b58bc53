"""Scanners of the larger world, and what they never have."""

from __future__ import annotations

import json

import numpy as np

from gsema_core.simulation.centers import CENTERS
from gsema_core.simulation.scanner.world_scanners import (
    HELD_OUT_BONE,
    MOST_VOXELS,
    held_out_protocol,
    world_protocol,
)

DRAWS = [world_protocol(seed) for seed in range(300)]


def test_draws_are_possible_scanners_and_repeat():
    assert DRAWS[7] == world_protocol(7)
    for draw in (*DRAWS, *map(held_out_protocol, range(20))):
        json.dumps(draw.to_dict())
        assert 0.15 <= draw.spacing_mm <= 0.6
        assert draw.source_detector_mm > draw.source_isocenter_mm + 150
        fan = 2 * np.degrees(np.arcsin(46.0 / draw.source_isocenter_mm))
        assert 180.0 + fan < draw.arc_deg < 360.0
        assert draw.window_hu[0] < draw.window_hu[1]
        assert draw.subtracted or not (draw.mask_shift_mm or draw.mask_turn_deg)
        limits = {"hounsfield": (-32768, 32767), "window8": (0, 255)}.get(draw.storage, (0, 65535))
        assert limits[0] <= draw.fill_value <= limits[1]


def test_draws_have_everything_that_scanners_do():
    for name in ("hardening", "ring_gain", "motion_mm", "mask_turn_deg", "edge_gain", "marrow",
                 "air_cells", "cut_hu"):  # fmt: skip
        share = np.mean([bool(getattr(draw, name)) for draw in DRAWS])
        assert 0.05 < share < 0.8, name
    assert {draw.storage for draw in DRAWS} == {"hounsfield", "unsigned12", "window8"}
    assert {draw.field for draw in DRAWS} == {"all", "cylinder", "sphere"}
    assert any(draw.bone_hu > 0.9 * draw.contrast_hu for draw in DRAWS)
    assert any(draw.window_hu[1] < draw.contrast_hu for draw in DRAWS)  # saturated vessels


def test_what_is_held_out_is_never_drawn():
    assert HELD_OUT_BONE not in {name for draw in DRAWS for name in draw.bones}
    held_out = held_out_protocol(3)
    assert held_out.bones == (HELD_OUT_BONE,)
    for name in ("source_isocenter_mm", "edge_gain", "edge_mm", "views", "storage"):
        assert getattr(held_out, name) not in {getattr(draw, name) for draw in DRAWS}, name
    assert held_out.source_isocenter_mm < min(draw.source_isocenter_mm for draw in DRAWS)
    assert held_out.edge_gain > max(draw.edge_gain for draw in DRAWS)


def test_large_fields_have_coarser_voxels():
    assert all(world_protocol(n, 128.0).spacing_mm >= 128.0 / MOST_VOXELS for n in range(30))


def test_what_names_a_center_has_none_of_what_it_does_not_do():
    """Records and keys of scans that were made before stay what they are."""
    values = CENTERS["A"].to_dict()
    assert next(iter(values)) == "name"
    assert list(values)[-1] == "window_hu"
    assert len(values) == 23
    assert DRAWS[0].to_dict()["bones"] == list(DRAWS[0].bones)
