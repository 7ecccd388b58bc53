"""The names of what lies in a run's folder."""

from __future__ import annotations

import subprocess
import sys

from gsema_core.training.run_files import THUMBNAILS, thumbnail, thumbnails


def test_pictures_are_found_by_their_steps_and_nothing_else_is(tmp_path):
    assert thumbnails(tmp_path) == {}
    (tmp_path / THUMBNAILS).mkdir()
    for step in (30, 4, 12_345_678):
        thumbnail(tmp_path, step).touch()
    for name in ("step-new.png", "step-²³.png", "step-5.png.tmp", "notes.png"):
        (tmp_path / THUMBNAILS / name).touch()
    assert thumbnails(tmp_path) == {n: thumbnail(tmp_path, n) for n in (4, 30, 12_345_678)}
    assert max(thumbnails(tmp_path)) == 12_345_678


def test_a_panel_without_packages_knows_the_names():
    code = (
        "import sys, gsema_core.training.run_files, gsema_core.worker.protocol; "
        "assert not {'numpy', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
