"""The page holds all it needs, shows what people wrote as text, and puts trouble first."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from gsema_core.inference.folders.overview.overview_page import RESEARCH, overview_page
from gsema_core.inference.folders.overview.page_row import Row

Make = Callable[..., Any]


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether all that opens closes."""

    EMPTY = ("meta", "input", "img")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if self.open[-1:] not in (["style"], ["script"]) else ""

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture
def page(record: Make) -> Page:
    rows = [
        Row("plain.nrrd", record("plain"), ("plain.seg.nrrd", "plain.json")),
        Row("noted.nrrd", record("noted", "It has no contrast.")),
        Row("later.nrrd", None),
        Row("broken.nrrd", record("broken", problem="It is damaged.")),
    ]
    return Page(overview_page(rows, "segment.log"))


def test_trouble_comes_first_and_is_counted(page: Page) -> None:
    assert [one["class"] for one in page.named("article")] == ["failed", "noted", "done", "open"]
    head = page.text.partition("Failed (1)")[0]
    assert "1 failed, 1 done with notes, 1 done without notes, 1 not done yet." in head
    assert "2 aneurysms in 2 scans." in head
    anchors = {one["id"] for one in page.named("section")}
    assert {one["href"] for one in page.named("a") if str(one["href"]).startswith("#")} == {
        f"#{anchor}" for anchor in anchors
    }


def test_it_tells_what_the_reader_must_know(page: Page) -> None:
    for told in (
        RESEARCH,
        "model tiny (0123456789ab), gsema_core 9.8.7; last change 2026-01-02 03:04 UTC.",
        "It is damaged.",
        "! It has no contrast.",
        "44 × 36 × 52 voxels of 0.7 × 0.9 × 0.6 mm, 31 × 32 × 31 mm",
        "vessels 1250 mm³",
        "12 s on cpu",
        "0.93",
        "L\xa06.0 A\xa00.5 S\xa02.0",
        "segment.log",
    ):
        assert told in page.text, told


def test_everything_is_in_the_page(page: Page) -> None:
    assert [one for one in page.named("img") if not str(one["src"]).startswith("data:image/")] == []
    starts = {"jpeg": b"\xff\xd8", "png": b"\x89PNG"}
    for image in page.named("img"):
        kind, _, text = str(image["src"])[len("data:image/") :].partition(";base64,")
        assert base64.b64decode(text, validate=True).startswith(starts[kind])
        assert image["loading"] == "lazy" and image["decoding"] == "async"
    assert not page.named("link") and not page.named("iframe")
    assert all("src" not in one for one in page.named("script"))
    hrefs = [str(one["href"]) for one in page.named("a") if not str(one["href"]).startswith("#")]
    assert hrefs == ["plain.seg.nrrd", "plain.json"]
    (policy,) = (one["content"] for one in page.named("meta") if "http-equiv" in one)
    assert str(policy).startswith("default-src 'none'; img-src data:;")


HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "&lt;b&gt;",
    "</title></style></section><!--",
    "javascript:alert(1)",
    "line\nfeed\x1b[31m and \u202eback",
    "患者 Ärzte עברית",
    "b\udcff",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_names_and_notes_stay_text(record: Make, text: str) -> None:
    plain = Page(overview_page([Row("a", record("a", "b"), ("c.json", "d"))]))
    report = {**record("a").report, "notes": [text], "teacher": {"name": text, "sha256": text}}
    report["program"] = {"name": text, "version": text}
    report["series"] = {"number": text, "description": text, "slices": text}
    hostile = record("a", report=report, made=text, remarks=(text,))
    html = overview_page([Row(text, hostile, (f"{text}.json", text))], text)
    page = Page(html)
    assert [tag for tag, _ in page.tags if tag != "p"] == [
        tag for tag, _ in plain.tags if tag != "p"
    ]
    assert {key for _, attributes in page.tags for key in attributes} == {
        key for _, attributes in plain.tags for key in attributes
    }
    html.encode("utf-8")
    assert "\x1b" not in html and "\u202e" not in html
    shown = text.replace("\n", "\\n").replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert page.text.count(shown.replace("\udcff", "\\udcff")) >= 4
    assert all(not str(one["href"]).startswith("javascript:") for one in page.named("a"))


def test_one_bad_record_does_not_spoil_the_page(record: Make) -> None:
    bad = [
        record("a", report={}),
        record("b", report={**record("b").report, "aneurysms": [{"cut_off": True, "index": 1}]}),
        record("c", pictures=[{"width": "<b>"}]),
        record("d", pictures=3),
    ]
    page = Page(overview_page([*(Row(one.name, one) for one in bad), Row("e", record("e"))]))
    assert page.text.count("Its record in the folder overview is damaged") == len(bad)
    assert "4 failed, 1 done without notes" in page.text
    assert page.text.count("0.93") == 1


def test_several_teachers_are_told_with_each_scan(record: Make) -> None:
    other = {**record("b").report, "teacher": {"name": "other", "sha256": "fedcba9876543210"}}
    rows = [Row("a", record("a")), Row("b", record("b", report=other)), Row("c", record("c"))]
    page = Page(overview_page(rows))
    assert "gsema_core 9.8.7 (2 scans); model other" in page.text
    assert page.text.count("model other (fedcba987654)") == 2


def test_an_empty_page_is_a_page() -> None:
    assert "Cerebral aneurysms in 0 scans" in Page(overview_page([])).text


def test_a_page_of_500_scans_stays_small(record: Make) -> None:
    html = overview_page([Row(str(n), record(str(n))) for n in range(500)])
    assert len(html) < 500 * 20_000
