from __future__ import annotations

import struct

import numpy as np
import pytest

from gsema_core.training.curves import MOST_POINTS, _numbers, _running_mean, draw_curves

pytest.importorskip("matplotlib")

HEAD = "step,kind,loss_source,gate_open_rate,similarity,aneurysm_dice,vessel_dice\n"


def test_curves_of_any_length_become_a_picture(tmp_path):
    assert draw_curves(tmp_path) is None
    table = tmp_path / "metrics.csv"
    table.write_text(HEAD)
    assert draw_curves(tmp_path) is None
    table.write_text(HEAD + "0,validation,,,,0.5,0.8\n")
    assert draw_curves(tmp_path, "one validation").stat().st_size > 10_000
    with table.open("a") as file:
        file.writelines(f"{n},training,{1 / n},0.5,-0.1,,\n" for n in range(1, 3 * MOST_POINTS))
        file.write("1200,validation,,,,0.6,0.9\n")
    content = draw_curves(tmp_path, "long").read_bytes()
    assert content.startswith(b"\x89PNG") and struct.unpack(">II", content[16:24]) == (1100, 704)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["curves.png", "metrics.csv"]


def test_a_long_line_keeps_its_mean():
    rows = [{"step": str(n), "x": str(n % 7)} for n in range(1, 1000)]
    rows[3]["x"] = "nan"  # a step that was skipped
    rows[4]["x"] = ""
    steps, values = _numbers(rows, "x")
    assert len(steps) <= MOST_POINTS and (np.diff(steps) > 0).all()
    assert values.mean() == pytest.approx(3, abs=0.02)


def test_a_running_mean_of_a_constant_is_the_constant():
    assert _running_mean(np.full(9, 2.5), 4) == pytest.approx(np.full(9, 2.5))
