"""The page in a real browser, where one is installed."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.inference.folders.overview.overview_page import overview_page
from gsema_core.inference.folders.overview.page_row import Row

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

Make = Callable[..., Any]
Open = Callable[..., str]

MEASURE = """<script>
const box = node => {
  const { x, y, width, height } = node.getBoundingClientRect(); return [x, y, width, height]; };
const all = name => [...document.querySelectorAll(name)];
const told = {
  width: document.documentElement.clientWidth,
  content: document.documentElement.scrollWidth,
  articles: all('article').map(box),
  pictures: all('.picture').slice(0, 40).map(node => [...node.querySelectorAll('img')].map(box)),
  tables: all('.numbers').slice(0, 40).map(node => [node.scrollWidth, node.clientWidth]),
};
const box_ = document.getElementById('filter');
box_.value = 'scan 49'; box_.dispatchEvent(new Event('input'));
told.filtered = all('article:not([hidden])').map(node => node.querySelector('h3').textContent);
told.groups = all('section:not([hidden])').length;
box_.value = ''; box_.dispatchEvent(new Event('input'));
window.scrollTo(0, 9000);
told.header = box(document.querySelector('header'));
told.decoded = all('img').slice(0, 40).map(node => [node.naturalWidth, node.width]);
document.body.dataset.told = JSON.stringify(told);
</script></body>"""
"""Asks the layout; the page's own policy refuses it, so that it goes with a page without one."""


@pytest.fixture
def browse(tmp_path: Path) -> Open:
    def run(html: str, *options: str) -> str:
        """Open a page; what the browser prints, with its complaints."""
        page = tmp_path / "overview.html"
        page.write_text(html, encoding="utf-8")
        call = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        call += ["--disable-background-networking", "--disable-component-update"]
        call += ["--disable-dev-shm-usage", "--no-first-run", "--enable-logging=stderr"]
        call += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1500,1300"]
        call += options
        done = subprocess.run(
            [*call, page.as_uri()], capture_output=True, text=True, errors="replace", timeout=120
        )
        assert done.returncode == 0, done.stderr
        complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return "\n".join([done.stdout, *complaints])

    return run


@pytest.fixture(scope="session")
def many(record: Make) -> str:
    """500 scans: 10 failed, 50 with a note, 20 not done."""
    note = "The scan was left out at its border. " * 5
    rows = []
    for n in range(500):
        name = f"scan {n}"
        one = record(name, note) if n % 10 == 1 else record(name)
        one = record(name, problem="It is damaged.") if n % 50 == 2 else one
        rows.append(Row(name, None if n % 25 == 3 else one, (f"{name}.seg.nrrd", f"{name}.json")))
    return overview_page(rows)


@pytest.mark.parametrize("width", [1500, 1300, 600])
def test_500_scans_are_laid_out(browse: Open, many: str, width: int) -> None:
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", many)
    shown = browse(html.replace("</body>", MEASURE), "--dump-dom", f"--window-size={width},1300")
    found = re.search(r'data-told="([^"]*)"', shown)
    assert found is not None
    told = json.loads(found[1].replace("&quot;", '"'))
    assert told["content"] == told["width"] == width  # nothing sticks out
    assert len(told["articles"]) == 500
    tops = [y for _, y, _, _ in told["articles"]]
    ends = [y + height for _, y, _, height in told["articles"]]
    assert all(end < top for end, top in zip(ends[:-1], tops[1:], strict=True))
    for gray, outlines in told["pictures"]:
        assert gray == outlines and min(gray[2:]) > 100
    assert len(told["pictures"]) == 40
    if width > 1000:  # else a table scrolls by itself
        assert all(content <= place for content, place in told["tables"])
    assert all(natural == shown > 0 for natural, shown in told["decoded"])
    assert told["header"][:2] == [0, 0]  # it stays when the page is scrolled
    assert set(told["filtered"]) == {f"scan {n}" for n in range(500) if "49" in str(n)}
    assert told["groups"] == 2


@pytest.mark.parametrize("script", [True, False])
def test_the_page_is_seen(browse: Open, record: Make, tmp_path: Path, script: bool) -> None:
    """With and without JavaScript."""
    html = overview_page([Row("a", record("a"))])
    html = html if script else re.sub("<script>.*?</script>", "", html, flags=re.DOTALL)
    picture = tmp_path / "seen.png"
    browse(html, f"--screenshot={picture}")
    pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(picture)))[..., :3].astype(int)
    red, green, blue = np.moveaxis(pixels, -1, 0)
    yellow = (red > 220) & (abs(green - 176) < 30) & (blue < 60)
    dark_red = (abs(red - 180) < 50) & (green < 70) & (blue < 70)
    black = pixels.sum(axis=-1) < 90
    assert yellow.sum() > 100 and dark_red.sum() > 100  # the outlines of aneurysm and vessel
    assert black.sum() > 10_000  # the pictures' background
    assert np.median(pixels) > 230  # the page's


def test_the_policy_lets_the_pages_own_parts_be(browse: Open, record: Make) -> None:
    shown = browse(overview_page([Row("a", record("a"))]), "--dump-dom")
    assert "<label hidden" not in shown  # of the filter, which the script shows
    assert "CONSOLE" not in shown


def test_nothing_asks_the_network(browse: Open, record: Make) -> None:
    """Neither the page nor what hostile files are called; a page that does ask is heard."""
    with Listener() as listener:
        url = f"http://127.0.0.1:{listener.port}/"
        tags = f'<img src="{url}"><script src="{url}"></script><link rel=stylesheet href="{url}">'
        hostile = record("a", tags, remarks=(tags, f"'>{tags}", f'">{tags}'), made=tags)
        html = overview_page([Row(tags, hostile, (f"{url}.json", tags))], tags)
        assert "CONSOLE" not in browse(html, "--dump-dom")
        assert listener.heard == 0
        browse(f"<body>{tags}</body>", "--dump-dom")
        assert listener.heard > 0


class Listener:
    """Counts who connects to a port of this machine."""

    def __enter__(self) -> Listener:
        self.heard = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.heard += 1
            connection.close()

    def __exit__(self, *_: object) -> None:
        self._socket.close()
