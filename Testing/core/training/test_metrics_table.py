from __future__ import annotations

from gsema_core.training.board import Board
from gsema_core.training.logbook import Logbook
from gsema_core.training.metrics_table import (
    COLUMNS,
    HEAD,
    TRAINING,
    VALIDATION,
    has_metrics,
    read_metrics,
)

EARLIER = {
    "steps.csv": "step,seconds,loss_source\r\n10,1.0,0.9\r\n20,2.0,0.8\r\n",
    "validation.csv": "step,aneurysm_dice,vessel_dice\r\n0,0.1,0.2\r\n20,0.5,0.6\r\n",
}


def write_earlier(folder) -> None:
    for name, text in EARLIER.items():
        (folder / name).write_text(text)


def test_a_cut_off_line_and_a_line_being_written_are_left_out(tmp_path):
    assert read_metrics(tmp_path) == [] and not has_metrics(tmp_path)
    table = (
        "step,kind,loss\n5,training,0.5\n7,training\nten,training,1\n9,validation,1\n10,training,0."
    )
    (tmp_path / "metrics.csv").write_text(table)
    assert [row["step"] for row in read_metrics(tmp_path)] == ["5", "9"]
    assert [row["step"] for row in read_metrics(tmp_path, "validation")] == ["9"]


def test_two_earlier_tables_are_read_as_one(tmp_path):
    write_earlier(tmp_path)
    rows = [(row["step"], row["kind"]) for row in read_metrics(tmp_path)]
    assert rows == [
        ("0", "validation"),
        ("10", "training"),
        ("20", "training"),
        ("20", "validation"),
    ]
    assert has_metrics(tmp_path)


def test_a_run_that_goes_on_joins_earlier_tables_and_drops_what_comes_again(tmp_path):
    write_earlier(tmp_path)
    Logbook(tmp_path, Board(tmp_path, print)).resume_at(10)
    rows = read_metrics(tmp_path)
    assert [(row["step"], row["kind"]) for row in rows] == [("0", "validation"), ("10", "training")]
    assert list(rows[0]) == [*HEAD, *COLUMNS[TRAINING], *COLUMNS[VALIDATION]]
    assert (rows[0]["aneurysm_dice"], rows[0]["loss_source"], rows[1]["loss_source"]) == (
        "0.1", "", "0.9")  # fmt: skip
    assert not any((tmp_path / name).exists() for name in EARLIER)


def test_a_run_that_begins_anew_keeps_no_line(tmp_path):
    write_earlier(tmp_path)
    Logbook(tmp_path, Board(tmp_path, print)).resume_at(-1)
    assert read_metrics(tmp_path) == [] and has_metrics(tmp_path)
