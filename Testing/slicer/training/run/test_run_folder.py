"""A run's folder as the panel reads it."""

from __future__ import annotations


def test_half_written_files_are_no_trouble(training_module, tmp_path):
    from GSEMATrainingLib.run.RunFolder import RunFolder

    folder = RunFolder(tmp_path)
    assert (folder.status(), folder.rows("training"), folder.logText()) == (None, [], "")
    (tmp_path / "status.json").write_text('{"state": "train')
    assert folder.status() is None
    (tmp_path / "metrics.csv").write_text("step,kind,loss\n5,training,0.5\n10,training,0.")
    assert folder.rows("training") == [{"step": "5", "kind": "training", "loss": "0.5"}]
    (tmp_path / "train.log").write_bytes(b"x" * 300_000 + b"\nlast \xff line\n")
    assert folder.logText() == "last \N{REPLACEMENT CHARACTER} line\n"
