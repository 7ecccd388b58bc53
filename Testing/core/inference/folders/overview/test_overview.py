"""Records outlive their process, and the page tells of files as they are now."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.files import write_labels, write_volume
from gsema_core.grids import Geometry, Volume
from gsema_core.inference.folders.overview import overview as module
from gsema_core.inference.folders.overview.overview import PAGE, Overview, Told
from gsema_core.inference.folders.overview.pictures import shown
from gsema_core.inference.folders.overview.scan_record import read_record, record_path
from gsema_core.inference.segmentation_result import SegmentationResult
from gsema_core.labels import VESSEL
from gsema_core.measurements import is_current, measure_aneurysms

Begin = Callable[..., Overview]


@pytest.fixture
def begin(tmp_path: Path, scan_file: Path) -> Begin:
    """An overview of scans a, b ... as one process has it."""

    def make(*names: str) -> Overview:
        (tmp_path / "out").mkdir(exist_ok=True)
        scans = []
        for name in names:
            source = tmp_path / f"{name}.nrrd"
            shutil.copy(scan_file, source)
            ends = [tmp_path / "out" / f"{name}{end}" for end in (".seg.nrrd", ".json")]
            scans.append(Told(name, source.name, source, *ends))
        return Overview(tmp_path / "out", scans, tmp_path / "out" / "segment.log")

    return make


def finish(overview: Overview, name: str, scan: Volume, truth: Volume, report: Any) -> None:
    write_labels(truth, overview.scans[name].labels)
    overview.scans[name].report.write_text(json.dumps(report))
    result = SegmentationResult(truth, None, measure_aneurysms(truth), report)
    overview.done(name, shown(scan), result)


def states(overview: Overview) -> list[str]:
    overview.write_page()
    text = (overview.results / PAGE).read_text(encoding="utf-8")
    found = re.findall(r'<article class="(\w+)"><div><h3><bdi>([^<]*)', text)
    return [f"{title} {state}" for state, title in found]


def test_processes_make_one_page(begin: Begin, scan: Volume, truth: Volume, report: Any) -> None:
    first, second = begin("a", "b", "c"), begin("a", "b", "c")
    finish(first, "a", scan, truth, report)
    assert states(first) == ["a.nrrd done", "b.nrrd open", "c.nrrd open"]
    second.failed("b", "It is damaged.")
    finish(second, "c", scan, truth, report)
    assert states(second) == ["b.nrrd failed", "a.nrrd done", "c.nrrd done"]
    before = (first.results / PAGE).stat().st_mtime_ns
    assert states(first) == ["b.nrrd failed", "a.nrrd done", "c.nrrd done"]
    assert (first.results / PAGE).stat().st_mtime_ns == before


def test_a_record_left_meanwhile_is_on_the_page(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = begin("a", "b"), begin("a", "b")
    first.failed("a", "It is damaged.")
    write = module.write_text

    def late(text: str, path: Path) -> None:
        if "1 not done yet" in text:
            second.failed("b", "It is damaged too.")
        write(text, path)

    monkeypatch.setattr(module, "write_text", late)
    assert states(first) == ["a.nrrd failed", "b.nrrd failed"]


def test_a_damaged_page_is_made_anew(begin: Begin) -> None:
    overview = begin("a")
    (overview.results / PAGE).write_bytes(b"\xff\xfe half a page")
    assert states(overview) == ["a.nrrd open"]


def test_what_failed_is_done_later(begin: Begin, scan: Volume, truth: Volume, report: Any) -> None:
    overview = begin("a")
    overview.failed("a", "It is damaged.")
    finish(overview, "a", scan, truth, report)
    assert states(overview) == ["a.nrrd done"]


def test_what_is_gone_is_not_told(begin: Begin, scan: Volume, truth: Volume, report: Any) -> None:
    overview = begin("a", "b", "c")
    overview.failed("a", "It is damaged.")
    for name in "bc":
        finish(overview, name, scan, truth, report)
    overview.scans["c"].labels.unlink()
    assert states(begin("c")) == ["b.nrrd done", "c.nrrd open"]


def test_an_unchanged_result_is_not_looked_at_again(
    begin: Begin, scan: Volume, truth: Volume, report: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(begin("a"), "a", scan, truth, report)
    monkeypatch.setattr(module, "read_scan", None)
    overview = begin("a")
    overview.stays("a")
    assert states(overview) == ["a.nrrd done"]


def test_a_map_corrected_by_hand_is_measured_and_drawn_anew(
    begin: Begin, scan: Volume, truth: Volume, report: Any
) -> None:
    overview = begin("a")
    finish(overview, "a", scan, truth, report)
    before = read_record(overview.results, "a")
    write_labels(
        Volume(np.minimum(truth.array, VESSEL), truth.geometry), overview.scans["a"].labels
    )
    overview.stays("a")
    record = read_record(overview.results, "a")
    assert before is not None and record is not None
    assert record.report["aneurysms"] == []
    assert "not as the model drew it" in record.remarks[0]
    assert record.pictures[0]["outlines"] != before.pictures[0]["outlines"]
    assert states(overview) == ["a.nrrd noted"]


def test_a_map_that_slicer_cropped(
    begin: Begin, scan: Volume, truth: Volume, report: Any, oblique: Geometry
) -> None:
    overview = begin("a")
    finish(overview, "a", scan, truth, report)
    first = [int(n.min()) for n in truth.array.nonzero()]
    last = [int(n.max()) + 1 for n in truth.array.nonzero()]
    box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    origin = tuple(oblique.index_to_world(first[::-1]))
    piece = replace(oblique, size=truth.array[box].shape[::-1], origin=origin)
    write_labels(Volume(truth.array[box], piece), overview.scans["a"].labels)
    overview.stays("a")
    record = read_record(overview.results, "a")
    assert record is not None and record.report["aneurysms"][0]["certainty"] == 0.93
    assert (list(record.remarks), len(record.pictures)) == ([], 2)


def test_a_result_without_a_record_gets_one(
    begin: Begin, scan: Volume, truth: Volume, report: Any
) -> None:
    """As a crash between the result and its record leaves it, or an older program."""
    overview = begin("a")
    finish(overview, "a", scan, truth, report)
    whole = read_record(overview.results, "a")
    record_path(overview.results, "a").unlink()
    overview.stays("a")
    again = read_record(overview.results, "a")
    assert whole is not None and again is not None
    assert not again.remarks and again.report["aneurysms"][0]["certainty"] == 0.93
    assert again.pictures == whole.pictures


OLD = (
    "index",
    "volume_ml",
    "largest_diameter_mm",
    "centroid_ras",
    "voxels",
    "cut_off",
    "certainty",
)


def test_what_an_earlier_version_measured_is_not_mixed_in(
    begin: Begin, scan: Volume, truth: Volume, report: Any
) -> None:
    """Whether or not its scan is among those of the run that goes on."""
    older = {**report, "aneurysms": [{name: report["aneurysms"][0][name] for name in OLD}]}
    del older["measurements_version"]
    for name in "ab":
        finish(begin(name), name, scan, truth, older)
    overview = begin("a")
    overview.stays("a")
    record = read_record(overview.results, "a")
    assert record is not None and is_current(record.report)
    (told,) = record.report["aneurysms"]
    assert told["certainty"] == 0.93 and told["non_sphericity_index"] > 0
    assert "earlier version" in record.remarks[0]
    assert states(overview) == ["a.nrrd noted", "b.nrrd noted"]
    page = (overview.results / PAGE).read_text(encoding="utf-8")
    assert "whose numbers cannot be put beside" in page.partition("b.nrrd")[2]
    overview.stays("a")
    again = read_record(overview.results, "a")
    assert again == record


def test_a_map_by_hand_without_a_report(begin: Begin, truth: Volume) -> None:
    overview = begin("a")
    write_labels(truth, overview.scans["a"].labels)
    overview.stays("a")
    record = read_record(overview.results, "a")
    assert record is not None and len(record.report["aneurysms"]) == 1
    assert states(overview) == ["a.nrrd noted"]
    assert "by an unknown model" in (overview.results / PAGE).read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["other grid", "other values", "damaged scan"])
def test_what_does_not_fit_is_said(begin: Begin, truth: Volume, kind: str) -> None:
    overview = begin("a")
    scan = overview.scans["a"]
    if kind == "other grid":
        write_labels(Volume(truth.array, Geometry(truth.geometry.size)), scan.labels)
        told = "noted", "No picture could be made: The label map is not on the grid of the scan"
    elif kind == "other values":
        write_volume(Volume(truth.array + np.uint8(7), truth.geometry), scan.labels)
        told = "failed", "A label map is there, but: The label map"
    else:
        write_labels(truth, scan.labels)
        scan.source.write_bytes(b"no scan")
        told = "failed", "A label map is there, but: The image a.nrrd "
    overview.stays("a")
    assert states(overview) == [f"a.nrrd {told[0]}"]
    assert told[1] in (overview.results / PAGE).read_text(encoding="utf-8")


def test_a_surprise_in_a_picture_does_not_cost_the_result(
    begin: Begin, scan: Volume, truth: Volume, report: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr(module, "draw_pictures", fail)
    overview = begin("a")
    finish(overview, "a", scan, truth, report)
    assert states(overview) == ["a.nrrd noted"]
    page = (overview.results / PAGE).read_text(encoding="utf-8")
    assert "No picture could be made: (ZeroDivisionError)" in page
    assert "ZeroDivisionError: surprise" in overview.log.read_text()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"title": 3}', '{"unknown": 1}', "{}"])
def test_a_record_that_was_changed(begin: Begin, truth: Volume, content: str) -> None:
    overview = begin("a")
    write_labels(truth, overview.scans["a"].labels)
    record_path(overview.results, "a").parent.mkdir()
    record_path(overview.results, "a").write_text(content)
    assert states(overview) in (["a.nrrd open"], ["a.nrrd failed"])
    overview.stays("a")
    assert states(overview) == ["a.nrrd noted"]


def test_the_page_is_made_now_and_then(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    overview = begin("a", "b")
    overview.failed("a", "It is damaged.")
    assert not (overview.results / PAGE).exists()
    monkeypatch.setattr(module.time, "monotonic", lambda: float("inf"))
    overview.failed("b", "It is damaged.")
    assert (overview.results / PAGE).exists()


@pytest.mark.parametrize("place", [PAGE, "overview"])
def test_where_nothing_can_be_written_is_told_first(begin: Begin, place: str) -> None:
    overview = begin("a")
    path = overview.results / place
    path.mkdir() if place == PAGE else path.write_text("")
    with pytest.raises(UserError, match=re.escape(str(path))):
        overview.check()


def test_names_are_sorted_as_people_count(begin: Begin) -> None:
    overview = begin("case 10", "case 2", "Case 3")
    assert states(overview) == ["case 2.nrrd open", "Case 3.nrrd open", "case 10.nrrd open"]


def test_a_name_that_is_no_unicode(begin: Begin) -> None:
    overview = begin("b\udcff")
    overview.failed("b\udcff", "It is damaged.")
    assert states(overview) == ["b\\udcff.nrrd failed"]
