"""Rows beside the paper's: from the benchmark's TOML, and from outside."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gsema_core.benchmark.own_rows import own_rows
from gsema_core.benchmark.rows import ROWS, Row
from gsema_core.errors import UserError
from gsema_core.training import TrainingConfig

BASE = TrainingConfig.from_dict(
    {"preset": "default", "transforms": {"paper": {"strength": 2}}, "run": {"steps": 9}}
)


def test_a_row_is_a_preset_and_changes() -> None:
    table = {
        "title": "gentle CMDG",
        "preset": "cmdg",
        "method": {"consistency_weight": 1.0},
        "transforms": {"gin_ipa": {"probability": 0.5}},
    }
    row = own_rows(["ema", "mine"], {"mine": table})["mine"]
    config = row.config(BASE)
    assert row.title == "gentle CMDG" and not row.external
    assert config.method.consistency_weight == 1.0 and config.method.alpha_aligned == 0.0
    assert config.transforms == {"gin_ipa": {"probability": 0.5}}
    assert config.preset_name == "cmdg" and config.run == BASE.run


def test_a_row_without_a_title_has_its_name() -> None:
    assert own_rows([], {"mine": {}})["mine"] == Row("mine")


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if not row.external])
def test_strengths_of_the_base_are_those_of_rows_with_its_transform(name: str) -> None:
    config = ROWS[name].config(BASE)
    expected = BASE.transforms if "paper" in config.method.transform else {}
    assert config.transforms == expected
    assert BASE.transforms == {"paper": {"strength": 2}}


def test_options_of_another_network_are_not_inherited() -> None:
    base = TrainingConfig.from_dict({"network": {"kind": "a:B", "options": {"width": 3}}})
    row = own_rows([], {"mine": {"network": {"kind": "cnn"}}})["mine"]
    assert row.config(base).network.options == {}
    assert base.network.options == {"width": 3}


def test_a_row_from_outside(own_module: Any, entry_point: Any) -> None:
    own_module(
        "own_row",
        """
        from gsema_core.benchmark.rows import Row

        ROW = Row("Mine", {"method": {"temperature": 0.5}})
        TABLE = {"preset": "mean_teacher"}
        """,
    )
    entry_point("gsema.rows", "offered", "own_row:TABLE")
    rows = own_rows(["own_row:ROW", "ema", "offered"], {})
    assert set(rows) == {"own_row:ROW", "offered"}
    assert rows["own_row:ROW"].config(BASE).method.temperature == 0.5
    assert rows["offered"].title == "offered" and rows["offered"].preset == "mean_teacher"


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"ema": {}}, "The row ema is one of the program's own: give yours another name"),
        ({"a/b": {}}, "'a/b' has no plain name: use up to 40 letters"),
        ({"my_module:ROW": {}}, "has no plain name"),
        ({"mine": 3}, "The row mine is 3: give a table"),
        ({"mine": {"titel": "x"}}, "no setting 'titel': use title, preset, method, optimization"),
        ({"mine": {"data": {}}}, "no setting 'data': .*; data and budget are those of all rows"),
        ({"mine": {"run": {"steps": 9}}}, "no setting 'run'"),
        ({"mine": {"method": 3}}, "Setting method of the row mine is 3: give a table"),
        ({"mine": {"title": ""}}, "Setting title of the row mine is '': give a text"),
        ({"mine": {"preset": ["paper"]}}, "Setting preset of the row mine is"),
        (3, "Setting rows is 3: give a table for each row"),
    ],
)
def test_what_is_no_row_is_told(tables: Any, told: str) -> None:
    with pytest.raises(UserError, match=told):
        own_rows([], tables)


def test_an_unknown_row_is_told_with_those_there_are(make_plan: Any) -> None:
    with pytest.raises(
        UserError, match=r"'gs-ema' is unknown: use one of no_ema, ema, .*, mine, or"
    ):
        own_rows(["gs-ema"], {"mine": {}})
    with pytest.raises(UserError, match="'gs-ema' is unknown: use no_ema, ema, gs_ema"):
        replace(make_plan(), rows=("ema", "gs-ema"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"method": {"temprature": 1}}, r"Unknown setting 'temprature' in \[method\]"),
        ({"method": {"segmentation_loss": "nowhere:L"}}, "nowhere:L cannot be imported"),
        ({"network": {"kind": "nowhere:N"}}, "nowhere:N cannot be imported"),
        ({"preset": "papr"}, "preset 'papr' is unknown"),
    ],
)
def test_a_row_is_tried_before_anything_is_trained(make_plan: Any, changes: Any, told: str) -> None:
    rows = own_rows([], {"mine": changes})
    with pytest.raises(UserError, match=told):
        replace(make_plan(), rows=("mine",), own_rows=rows)


def test_a_plan_names_its_folders_and_keeps_to_what_a_row_was(make_plan: Any) -> None:
    plan = make_plan()
    plan.begin()
    own = {"own_x:ROW": Row("Mine", {"method": {"temperature": 0.5}})}
    more = replace(plan, rows=("ema", "own_x:ROW"), own_rows=own)
    cell = next(cell for cell in more.cells if cell.row == "own_x:ROW")
    assert cell.folder.name == "own_x.ROW-seed0"
    assert more.config(cell).run.name.startswith("own_x.ROW-without-")
    assert more.config(cell).method.temperature == 0.5
    more.begin()  # rows may be added
    written = json.loads((plan.output / "benchmark.json").read_text())
    assert written["rows"]["own_x:ROW"]["changes"] == {"method": {"temperature": 0.5}}
    plan.begin()
    other = {"own_x:ROW": Row("Mine", {"method": {"temperature": 0.6}})}
    with pytest.raises(UserError, match=r"begun with another own_x:ROW in \[rows\]"):
        replace(more, own_rows=other).begin()
