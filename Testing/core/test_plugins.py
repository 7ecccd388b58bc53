"""Parts from outside: found where the user says, and nothing else is imported."""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

from gsema_core import plugins
from gsema_core.errors import UserError


class Reader(Protocol):
    pages: int

    def __call__(self, text: str) -> str: ...

    def close(self) -> None: ...


@pytest.mark.parametrize("name", ["a:B", "my_package.parts.blur:Blur", "ä.b:C1"])
def test_outside_is_told_by_the_form(name: str) -> None:
    assert plugins.is_outside(name)


@pytest.mark.parametrize(
    "name",
    ["paper", "", ":", "a:", ":B", "a.b", "a:b:c", "a..b:C", ".a:B", "a b:C", "a:B()", "1a:B",
     "a/b:C", "cuda:0", "a:B\n", "C:\\a.toml", "a:__import__('os')"],
)  # fmt: skip
def test_nothing_else_has_it(name: str) -> None:
    assert not plugins.is_outside(name)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"method": {"transform": ["paper", "a:B"]}, "preset": "c:D"}, ["c:D", "a:B"]),
        ({"transforms": {"a:B": {"strength": 2, "like": "a:B"}}}, ["a:B"]),
        ({"run": {"device": "cuda:0", "steps": 3}, "preset": "paper"}, []),
    ],
)
def test_names_outside_are_seen_anywhere_in_a_configuration(values: Any, found: Any) -> None:
    assert sorted(plugins.outside_names(values)) == sorted(found)


def test_a_file_in_the_current_folder_is_found(own_module: Any) -> None:
    own_module("own_a", "class Part: pass")
    assert plugins.find("own_a:Part", "loss").__name__ == "Part"


def test_installed_modules_come_before_the_folders(own_module: Any) -> None:
    """A file beside a configuration must not stand in for one of Python's own."""
    own_module("fractions", "raise SystemExit('imported')")
    sys.modules.pop("fractions", None)
    assert plugins.find("fractions:Fraction", "loss").__module__ == "fractions"


@pytest.mark.parametrize(
    ("name", "source", "told"),
    [
        ("own_b:Part", None, r"The loss own_b:Part cannot be imported \(ModuleNotFoundError: No"),
        ("own_c:Part", "x = ", r"cannot be imported \(SyntaxError: "),
        ("own_d:Part", "1 / 0", r"cannot be imported \(ZeroDivisionError: "),
        ("own_e:Prat", "class Part: pass", r"own_e:Prat is missing: .*own_e\.py has no Prat"),
        ("blur", None, r"The loss 'blur' is unknown: use one of dice_ce, or package\.module:Name"),
    ],
)
def test_what_is_missing_is_said(own_module: Any, name: str, source: Any, told: str) -> None:
    if source is not None:
        own_module(name.split(":")[0], source)
    with pytest.raises(UserError, match=told):
        plugins.find(name, "loss", ["dice_ce"])


def test_an_entry_point_is_a_name_of_its_own(own_module: Any, entry_point: Any) -> None:
    own_module("own_f", "class Blur: pass")
    entry_point("gsema.losses", "blur", "own_f:Blur")
    assert plugins.is_known("blur", "loss") and not plugins.is_known("blur", "network")
    assert "own_f" not in sys.modules
    assert plugins.find("blur", "loss").__name__ == "Blur"
    with pytest.raises(UserError, match=r"use one of dice_ce, blur, or"):
        plugins.find("blurr", "loss", ["dice_ce"])


def test_a_name_that_two_packages_offer_is_refused(entry_point: Any) -> None:
    entry_point("gsema.losses", "blur", "first:Blur")
    entry_point("gsema.losses", "blur", "second:Blur", package="other")
    with pytest.raises(UserError, match="Two installed packages offer a loss named blur"):
        plugins.installed("loss")


def test_options_are_the_keywords() -> None:
    def part(first: str, *, gamma: float = 2.0, times: int = 1, sure: bool = True) -> Any:
        return first, gamma, times, sure

    made = plugins.make("own", "loss", part, {"gamma": 3, "sure": False}, "config")
    assert made == ("config", 3, 1, False)
    for options, told in (
        ({"gama": 1}, r"The loss own has no option 'gama': use one of gamma, times, sure\."),
        ({"first": 1}, "no option 'first'"),
        ({"gamma": "two"}, "Option gamma of the loss own is 'two': give a number"),
        ({"gamma": True}, "gamma of the loss own is True"),
        ({"times": 1.5}, "times of the loss own is 1.5: give a whole number"),
        ({"sure": 1}, "sure of the loss own is 1: give true or false"),
    ):
        with pytest.raises(UserError, match=told):
            plugins.make("own", "loss", part, options, "config")


def test_what_cannot_be_called_or_made_is_told() -> None:
    def narrow(edge: float = 1.0) -> None:
        raise ValueError("the edge is narrow")

    with pytest.raises(UserError, match=r"The loss own is 3: give a class or a function"):
        plugins.make("own", "loss", 3, {})
    with pytest.raises(UserError, match=r"cannot be made with \{'edge': 2\}: the edge is narrow"):
        plugins.make("own", "loss", narrow, {"edge": 2})
    with pytest.raises(UserError, match="it has none"):
        plugins.make("own", "loss", lambda: None, {"edge": 2})


def test_what_a_protocol_names_must_be_there() -> None:
    class Half:
        pages = 3

    with pytest.raises(UserError, match=r"loss own has no __call__, close: see .*Reader for what"):
        plugins.check_protocol(Half(), Reader, "own", "loss")


@pytest.mark.parametrize("value", [{"a": datetime.date(2020, 1, 1)}, {"a": float("nan")}, {1, 2}])
def test_what_a_card_cannot_hold_is_no_option(value: Any) -> None:
    assert not plugins.is_plain(value) and plugins.is_plain({"a": [1, "b", {"c": True}]})


def test_help_looks_for_no_entry_points(tmp_path: Path) -> None:
    code = (
        "import importlib.metadata as m, sys\n"
        "def never(*a, **k): raise AssertionError('looked for entry points')\n"
        "m.entry_points = never\n"
        "from gsema_core.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: sys.exit(end.code)"
    )
    for command in ("train", "segment", "benchmark"):
        done = subprocess.run(
            [sys.executable, "-c", code, command, "--help"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0 and "usage" in done.stdout, done.stderr
