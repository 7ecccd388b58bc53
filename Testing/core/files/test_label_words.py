"""What the words in names mean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.files import label_words
from gsema_core.files.label_rules import LabelRules
from gsema_core.files.label_words import NEITHER, meaning_of, read_words
from gsema_core.labels import ANEURYSM, BACKGROUND, IGNORE, VESSEL


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own list."""
    path = tmp_path / "home" / "label_words.txt"
    path.parent.mkdir()
    monkeypatch.setattr(label_words, "user_list", lambda: path)
    return path


@pytest.mark.parametrize(("label", "names"), [
    (ANEURYSM, "Aneurysm Aneurysma Anévrisme anévrysme ANEURISMA Aneurizma Tętniak 脳動脈瘤 动脉瘤 "
               "動脉瘤 동맥류 Аневризма UIA aneurysm_2"),
    (VESSEL, "Vessels Gefäß Blutgefäße Arterie vaisseau artère vaso arteria 血管 動脈 动脉 혈관 "
             "Сосуд R-ICA L-Pcom 3rd-A2 CoW vasculature A.carotis"),
    (NEITHER, "coil Coils Gefäßwand 血管壁 stent thrombus vein Venen veines 静脈 plaque"),
    (BACKGROUND, "background Hintergrund 背景"),
    (IGNORE, "ignore unlabeled"),
    (None, "Segment_1 Skull tumor africa Knochen lumen 骨"),
])  # fmt: skip
def test_single_words(label: int | None, names: str) -> None:
    assert {name: meaning_of(name) for name in names.split()} == dict.fromkeys(names.split(), label)


@pytest.mark.parametrize(("label", "name"), [
    (ANEURYSM, "Aneurysm of a vessel"), (ANEURYSM, "Left MCA aneurysm"),
    (ANEURYSM, "Aneurisma intracraneal"), (ANEURYSM, "Anévrisme de l'artère"),
    (ANEURYSM, "untreated aneurysm"), (ANEURYSM, "Aneurysm no. 1"),
    (VESSEL, "Vaso sanguíneo"), (VESSEL, "circle of Willis"),
    (NEITHER, "ICA wall"), (NEITHER, "vessel wall"), (NEITHER, "treated aneurysm"),
    (NEITHER, "coiled aneurysm"), (NEITHER, "no aneurysm"), (NEITHER, "paroi du vaisseau"),
])  # fmt: skip
def test_names_of_several_words(label: int, name: str) -> None:
    assert meaning_of(name) == label


def test_a_list_of_ones_own_comes_first_and_may_change(home: Path) -> None:
    assert meaning_of("Bulge") is None
    home.write_text("# mine\n\naneurysm: bulge\nneither: =ica\n", encoding="utf-8")
    assert (meaning_of("bulges"), meaning_of("R ICA"), meaning_of("vessel")) == (2, NEITHER, 1)
    home.write_text("aneurysm: =ICA\n", encoding="utf-8")
    os.utime(home, ns=(1, 1))  # another time, even where the clock is coarse
    assert (meaning_of("Bulge"), meaning_of("R-ICA")) == (None, 2)


def test_a_list_that_is_passed_comes_before_all(home: Path, tmp_path: Path) -> None:
    home.write_text("aneurysm: lumen\n", encoding="utf-8")
    path = tmp_path / "words.txt"
    path.write_text("\ufeffVessel : lumen , =IA dome\n", encoding="utf-8")
    rules = LabelRules.from_options([], path)
    assert rules.words == ((VESSEL, ("lumen", "=IA dome")),)
    assert rules.label_of("The Lumen") == rules.label_of("left ia-dome") == VESSEL
    assert LabelRules.from_entry(rules.to_entry(), "a list") == rules


@pytest.mark.parametrize("text", ["vessel", "vessel:", "vessel: ,=", "tumor: x", "vessel x: y"])
def test_a_line_that_says_nothing_is_refused(home: Path, text: str) -> None:
    home.write_text(f"# first\n{text}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"Line 2 of the word list .*label_words.txt is"):
        meaning_of("vessel")


def test_what_is_no_text_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    for content, reason in ((b"\xff\xfe\x00", "cannot be read"), (b"#" * 2**21, "larger than")):
        path.write_bytes(content)
        with pytest.raises(UserError, match=reason):
            read_words(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_words(tmp_path)
